"""Largest errors of activations and derivatives in float32, in ulp: the record of `tests/reliability/accuracy.py`."""

import json
import pathlib

RECORD = pathlib.Path(__file__).parent / "data" / "reliability" / "accuracy.json"
ALT = (
    "Bars, one for each activation and one for its derivative: the largest error in float32, in units in the last "
    "place. All end before the line at 4. Circles, for the parts where the unit is that of the largest value, lie "
    "below it."
)


def draw(plt, C):
    found = json.loads(RECORD.read_text("utf-8"))["found"]["float32"]
    names = [name.removesuffix(" fn") for name in found if name.endswith(" fn")]
    fig, ax = plt.subplots(figsize=(5.6, 4.2))
    for side, (part, label) in enumerate({"fn": "σ", "prime": "σ′"}.items()):
        for y, name in enumerate(names):
            place, color = y + 0.2 * (2 * side - 1), C[side]
            ax.barh(place, found[f"{name} {part}"]["ulp"], color=color, height=0.36, label=label if y == 0 else None)
            if tail := found.get(f"{name} {part} tail"):
                ax.plot(tail["ulp"], place, "o", mfc="white", mec=C[5], ms=5)
    ax.axvline(4, color=C[5], lw=1, ls="--")
    ax.set(xlabel="largest error in ulp", yticks=range(len(names)), xlim=(0, 4.4))
    ax.set_yticklabels(names)
    ax.invert_yaxis()
    ax.legend(loc="lower right")
    return fig
