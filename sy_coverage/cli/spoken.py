"""Let the command line's help speak the language that the machine or the command asks for."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from sy_coverage import labels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sy_coverage.labels import Language

_TITLES = {
    "ARGUMENTS_PANEL_TITLE": "参数",
    "OPTIONS_PANEL_TITLE": "选项",
    "COMMANDS_PANEL_TITLE": "命令",
    "DEFAULT_STRING": "[默认：{}]",
    "REQUIRED_LONG_STRING": "[必填]",
    "ENVVAR_STRING": "[环境变量：{}]",
}
_LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")


def help_language(arguments: list[str], environment: Mapping[str, str]) -> Language:
    """Return the language for help: that of ``--language``, else that of the locale."""
    for option, value in [*pairwise(arguments), *(a.split("=", 1) for a in arguments if "=" in a)]:
        if option == "--language":
            return "zh" if value.lower().startswith("zh") else "en"
    said = next((environment[name] for name in _LOCALES if environment.get(name)), "")
    return "zh" if said.lower().startswith("zh") else "en"


def without_language(arguments: list[str]) -> list[str]:
    """Return arguments that ask for help without ``--language``, which not every command has."""
    if "--help" not in arguments:
        return arguments
    kept = [a for a in arguments if not a.startswith("--language=")]
    while "--language" in kept:
        at = kept.index("--language")
        del kept[at : at + 2]
    return kept


def speak(command: Any, language: Language) -> None:
    """Let a command, and those under it, say their help in `language`."""
    if language == "en":
        return
    from typer import rich_utils

    for name, words in _TITLES.items():
        if hasattr(rich_utils, name):
            setattr(rich_utils, name, words)
    _translate(command)


def _translate(command: Any) -> None:
    for words in ("help", "short_help", "epilog"):
        said = getattr(command, words, None)
        if said:
            setattr(command, words, labels.help_text(said, "zh"))
    for parameter in command.params:
        if getattr(parameter, "help", None):
            parameter.help = labels.help_text(parameter.help, "zh")
    usual = command.get_help_option

    def get_help_option(context: Any) -> Any:
        option = usual(context)
        if option is not None and option.help:
            option.help = labels.help_text(option.help, "zh")
        return option

    command.get_help_option = get_help_option
    get_usage = command.get_usage
    command.get_usage = lambda context: get_usage(context).replace("Usage:", "用法：", 1)
    for one in getattr(command, "commands", {}).values():
        _translate(one)
