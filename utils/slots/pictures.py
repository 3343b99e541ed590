"""Pictures of what taggers got right."""

from utils import plotting
from utils.slots import chunks

import numpy as np
import pandas as pd


def heatmap(axes, percent, rows, columns):
    """Draw numbers from 0 to 100 as squares."""
    axes.imshow(percent, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    steep = 0 if max(map(len, columns)) < 3 else 30 if len(columns) < 8 else 60
    axes.set_xticks(range(len(columns)), columns, rotation=steep, ha="right" if steep else "center")
    axes.set_yticks(range(len(rows)), rows)
    axes.grid(False)
    for (row, column), value in np.ndenumerate(percent):
        if value >= 0.5:
            colour = "white" if value > 60 else "black"
            axes.text(column, row, f"{value:.0f}", ha="center", va="center", color=colour)


def draw_scores(results, part, references, confusions):
    """Draw the networks' F1 side by side, beside others by name, and what was taken for what."""
    figure, axes = plotting.new_figure(
        [["F1", *confusions]], size=(6 + 5 * len(confusions), 5 + 0.1 * len(results))
    )
    bars = {}
    for name, result in results.items():
        cues = {f"cue {cue}": f1 for cue, f1 in result.get("test_f1_by_cue", {}).items()}
        bars[f"{name}  {result[part]['f1']:.1f}"] = cues or {"all slots": result[part]["f1"]}
    pd.DataFrame.from_dict(bars, orient="index").plot.barh(
        ax=axes["F1"], color=[plotting.BLUE, plotting.ORANGE, plotting.GREEN]
    )
    for (name, f1), dashes in zip(references.items(), (":", "--"), strict=False):
        axes["F1"].axvline(f1, color=plotting.BLACK, ls=dashes, label=name)
    axes["F1"].set(title=f"F1 of the slots, {part} part", xlim=(0, 101))
    axes["F1"].invert_yaxis()
    axes["F1"].legend(loc="upper center", bbox_to_anchor=(0.4, -0.06), ncols=2)
    for title, (true, predicted) in confusions.items():
        shares = chunks.confusion(true, predicted)
        heatmap(axes[title], shares.to_numpy(), shares.index, shares.columns)
        axes[title].set(title=title, xlabel="predicted", ylabel="true")
    return figure


def confusions(runs, best, sentences):
    """Return true and predicted labels by the title of their picture."""

    def slots(found):
        return [chunks.slot(tag) for one in found for tag in one.tags]

    labels = {
        f"{name}: slots, % of words": (slots(sentences), slots(runs[name].readings))
        for name in dict.fromkeys([next(iter(runs)), best])
    }
    if sentences[0].intent:
        pairs = zip(sentences, runs[best].readings, strict=True)
        intents = zip(
            *[(sentence.intent, reading.intent) for sentence, reading in pairs], strict=True
        )
        labels[f"{best}: intents, %"] = tuple(intents)
    return labels
