"""The passages of the documentation that quote numbers.json; nobody writes them by hand.

A passage stands between the comments `<!-- numbers: NAME -->` and `<!-- /numbers -->`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from hark_report.escape import for_markdown
from hark_report.results import KillRate
from publishing.count import Numbers
from publishing.refusal import Refused

# At the start of a line: elsewhere it is only spoken of.
PASSAGE = re.compile(
    r"^(<!-- numbers: (\S+) -->)(.*?)(<!-- /numbers -->)", re.DOTALL | re.MULTILINE
)


def filled(text: str, numbers: Numbers, where: str) -> str:
    """The text with every passage as the numbers have it."""

    def passage(found: re.Match[str]) -> str:
        name = found[2]
        if name not in PASSAGES:
            raise Refused(f"{where}: there is no passage {name!r}: {', '.join(PASSAGES)}")
        return f"{found[1]}\n{PASSAGES[name](numbers)}\n{found[4]}"

    return PASSAGE.sub(passage, text)


def libevent(numbers: Numbers) -> str:
    subject = numbers["subjects"]["libevent"]
    document = subject["document"]
    rows = [
        "| clause | what the document promises | what libevent does |",
        "|---|---|---|",
        *(
            f"| {each['clause']} | {for_markdown(each['promise'])} | {reasons(each)} |"
            for each in document["broken"]
        ),
    ]
    return (
        f"Debian 12's libevent ({subject['version']}) keeps {document['kept']} of the "
        f"{document['judged']} promises of the document, in {subject['runs']} runs:\n\n"
        + "\n".join(rows)
    )


def reasons(broken: Numbers) -> str:
    return "; ".join(for_markdown(each) for each in broken["does"])


def libevent_robust(numbers: Numbers) -> str:
    linux = numbers["subjects"]["libevent"]["linux"]
    return (
        f"Of the {linux['judged']} things that accept(2) asks of any robust server beside the "
        f"document, it keeps {linux['kept']}{breaking(linux)}."
    )


def libevent_header(numbers: Numbers) -> str:
    header = numbers["subjects"]["libevent"]["header"]
    return (
        f"Of the {header['judged']} promises that its header adds, it keeps "
        f"{header['kept']}{breaking(header)}."
    )


def breaking(kind: Numbers) -> str:
    broken = [each["clause"] for each in kind["broken"]]
    return f" and breaks {', '.join(broken)}" if broken else ""


def subjects(numbers: Numbers) -> str:
    rows = [
        "| implementation | document | its header | Linux | swept with | findings |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, subject in numbers["subjects"].items():
        kinds = (subject[kind] for kind in ("document", "header", "linux"))
        scores = [f"{each['kept']} of {each['judged']}" for each in kinds]
        sweep = numbers["sweeps"].get(name)
        swept = [faults(sweep), found(sweep)] if sweep else ["", ""]
        version = for_markdown(subject["version"])
        rows.append(f"| {for_markdown(name)} {version} | {' | '.join([*scores, *swept])} |")
    return "\n".join(rows)


def faults(sweep: Numbers) -> str:
    return f"{'a sample of ' if sweep['is_sample'] else ''}{sweep['runs']:,} faults"


def found(sweep: Numbers) -> str:
    counts = ((sweep[kind], kind) for kind in ("new", "known", "unstable"))
    return ", ".join(f"{count} {kind}" for count, kind in counts if count) or "none"


def mutants(numbers: Numbers) -> str:
    return KillRate(**numbers["mutants"]).text


def schedules(numbers: Numbers) -> str:
    told = []
    for name, found in numbers["schedules"].items():
        whole = f"{found['whole']} of {found['scenarios']} scenarios"
        text = (
            f"{for_markdown(name)} keeps its promise in {whole}, in each order with at most "
            f"{found['bound']} preemptions: {found['schedules']:,} orders"
        )
        if broken := found["broken"]:
            after = sorted(each["after"] for each in broken)
            deadlocks = sum(each["how"] == "deadlock" for each in broken)
            text += (
                f"; {len(broken)} break it ({deadlocks} by a deadlock), each within the first "
                f"{after[-1]} orders that are tried"
            )
        told.append(f"{text}.")
    return "With two threads, " + " ".join(told)


PASSAGES: Mapping[str, Callable[[Numbers], str]] = {
    "libevent": libevent,
    "libevent-header": libevent_header,
    "libevent-robust": libevent_robust,
    "mutants": mutants,
    "schedules": schedules,
    "subjects": subjects,
}
