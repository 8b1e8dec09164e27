/* Asked from outside: whoever holds this page's text in a frame of its own (srcdoc, sandboxed) asks by messages what window.whatIf answers.
   { whatIf: { id, ask: "set", with: ["C-1", "open"] } } is answered by { whatIf: { id, answer } } or { whatIf: { id, refused: "why" } };
   once asked, every change of the choice is told: { whatIf: { changed: choice } }. A page that lies on a server answers nobody. */
(function (sy) {
  sy.outside = function () {
    if (window.parent === window || window.location.href !== "about:srcdoc") return null;
    let heard = false;
    const tell = (said) => window.parent.postMessage({ whatIf: said }, "*");
    window.addEventListener("message", ({ source, data }) => {
      const asked = data && data.whatIf;
      if (source !== window.parent || !asked || typeof asked.ask !== "string" || !window.whatIf) return;
      heard = true;
      const { id, ask } = asked;
      const refuse = (error) => tell({ id, refused: String((error && error.message) || error) });
      if (!Object.prototype.hasOwnProperty.call(window.whatIf, ask)) { refuse("no such question: " + ask); return; }
      try {
        Promise.resolve(window.whatIf[ask](...(Array.isArray(asked.with) ? asked.with : []))).then((answer) => tell({ id, answer: answer === undefined ? null : answer }), refuse);
      } catch (error) { refuse(error); }
    });
    return () => { if (heard) tell({ changed: window.whatIf.choice() }); };
  };
})(window.sy);
