"""The commands that a person may have meant by a word that is none."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from organizer.near_words import near_words

SYNONYMS = {
    "ingest": "import add index load scan embed update sync refresh",
    "watch": "monitor follow",
    "recluster": "group kmeans regroup categorize categorise classify run",
    "undo": "revert rollback back",
    "redo": "repeat again",
    "search": "similar find query like lookup neighbours neighbors nearest match",
    "show": "photo image info details where inspect exif metadata",
    "browse": "walk explore",
    "status": "info stat summary state about",
    "problems": "errors broken failures failed damaged",
    "report": "score scores evaluate plot plots map silhouette quality stats",
    "review": "check purity audit verify sample",
    "suggest": "propose learn predict recommend",
    "compare": "benchmark experiment grid",
    "export": "save dump csv write convert",
    "arrange": "sort organize organise folders copy link tidy",
    "backup": "back-up snapshot archive",
    "restore": "recover",
    "doctor": "repair fix fsck validate heal",
    "unlock": "force takeover lock",
    "open": "gui ui gallery view look browser web start",
    "serve": "server service api http host",
    "clusters": "ls list clusters-list groups",
    "clusters show": "show display members images",
    "clusters rename": "rename name label tag call title",
    "clusters merge": "merge join combine unite",
    "clusters split": "split divide separate",
    "clusters move": "move mv put assign",
    "clusters new": "new create make",
    "clusters exclude": "exclude remove rm reject unassign",
    "clusters pin": "pin keep freeze",
    "clusters retire": "retire delete del dissolve drop",
    "clusters history": "history log",
    "clusters suggest-names": "names suggest-names autoname",
    "models": "embedders model embedder weights download pull networks",
    "duplicates": "dups dupes duplicate dedup dedupe near-duplicates",
}
"""By the command, as it is typed: words for it in other programs."""


def meant_commands(word: str, known: Collection[str], *, above: str = "") -> list[str]:
    """The commands that a word may mean, as they are typed after `organizer`.

    Args:
        word: What was typed.
        known: The commands that there are where it was typed.
        above: The group in which it was typed: "clusters"; empty for the program itself.
    """
    by_synonym = list(dict.fromkeys(_by_synonym(word.casefold(), known, above)))
    return by_synonym or [f"{above} {name}".strip() for name in near_words(word, known)]


def _by_synonym(word: str, known: Collection[str], above: str) -> Iterator[str]:
    for command, words in SYNONYMS.items():
        if word not in words.split():
            continue
        top, _, below = command.partition(" ")
        if (not above and top in known) or (top == above and below in known):
            yield command
