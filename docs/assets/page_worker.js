// Let the search work from a disk. A browser starts no Worker for a page that it opened as a file; the generator would fetch
// a stand-in from another machine. This one runs the same script in a hidden frame of the page and passes its messages.
if (location.protocol === "file:") {
  window.Worker = class PageWorker extends EventTarget {
    constructor(url) {
      super();
      const address = new URL(url, document.baseURI).href;
      const waiting = [];
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.srcdoc = "<!doctype html><title>search</title>";
      frame.onload = () => {
        const inner = frame.contentWindow;
        frame.onload = null;
        inner.postMessage = (data) => this.tell(data);
        inner.importScripts = (...scripts) =>
          scripts.reduce((before, script) => before.then(() => run(inner, new URL(script, address).href)), Promise.resolve());
        run(inner, address).then(() => {
          this.send = (data) => inner.dispatchEvent(new inner.MessageEvent("message", { data }));
          waiting.forEach((data) => this.send(data));
        });
      };
      this.send = (data) => waiting.push(data);
      document.body ? document.body.append(frame) : addEventListener("DOMContentLoaded", () => document.body.append(frame));
      this.frame = frame;
    }

    postMessage(data) {
      this.send(structuredClone(data));
    }

    tell(data) {
      const event = new MessageEvent("message", { data });
      this.dispatchEvent(event);
      if (this.onmessage) this.onmessage(event);
    }

    terminate() {
      this.frame.remove();
    }
  };
}

function run(inner, address) {
  return new Promise((done, failed) => {
    const script = inner.document.createElement("script");
    Object.assign(script, { src: address, onload: done, onerror: failed });
    inner.document.head.append(script);
  });
}
