"""Pictures of what taggers got right."""

from utils import plotting
from utils.slots import chunks

import numpy as np
import pandas as pd


def heatmap(axes, percent):
    """Draw a table of numbers from 0 to 100 as squares."""
    axes.imshow(percent, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    for (row, column), value in np.ndenumerate(percent):
        colour = "white" if value > 60 else plotting.BLACK if value > 0.5 else plotting.GREY
        axes.text(column, row, f"{value:.0f}", color=colour, ha="center", va="center")
    aslant = {"rotation": 30 if len(percent.columns) < 8 else 60, "ha": "right"}
    long = max(map(len, percent.columns)) > 2
    axes.set_xticks(range(len(percent.columns)), percent.columns, **aslant if long else {})
    axes.set_yticks(range(len(percent)), percent.index)
    axes.grid(False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def draw_scores(results, part, references, best, readings, sentences):
    """Draw the networks' F1 in a part side by side, and what the best took for what.

    The results are by network, as `utils.slots.chunks.summary` returns them; the references are F1
    by name; the readings are those of the best network.
    """
    figure, axes = plotting.plt.subplot_mosaic("fs", figsize=(12, 5 + 0.1 * len(results)))
    bars = {}
    for name, result in results.items():
        cues = {f"cue {cue}": f1 for cue, f1 in result.get("test_f1_by_cue", {}).items()}
        bars[f"{name}  {result[part]['f1']:.1f}"] = cues or {"all slots": result[part]["f1"]}
    pd.DataFrame.from_dict(bars, orient="index").plot.barh(
        ax=axes["f"], color=[plotting.BLUE, plotting.ORANGE, plotting.GREEN]
    )
    for (name, f1), dashes in zip(references.items(), (":", "--"), strict=False):
        axes["f"].axvline(f1, color=plotting.BLACK, ls=dashes, label=name)
    axes["f"].set(title=f"F1 of the slots, {part} part", xlim=(0, 101))
    axes["f"].invert_yaxis()
    axes["f"].legend(loc="upper center", bbox_to_anchor=(0.4, -0.06), ncols=2)
    true, found = (
        [chunks.slot(t) for one in some for t in one.tags] for some in (sentences, readings)
    )
    heatmap(axes["s"], chunks.confusion(true, found))
    axes["s"].set(title=f"{best}: slots, % of words", xlabel="predicted", ylabel="true")
    return figure


def draw_taipei(taggers, queries):
    """Draw each network's slot probabilities, word by word, for the lecture's two sentences."""
    width = min(len(taggers), 4)
    rows = 2 * -(-len(taggers) // width)
    size = 2 + 3 * width, 2.2 * rows
    figure, axes = plotting.plt.subplots(rows, width, squeeze=False, sharey=True, figsize=size)
    for number, (name, tagged) in enumerate(taggers.items()):
        above, column = 2 * (number // width), number % width
        axes[above, column].set_title(f"{name}, %")
        for row, query in enumerate(queries, above):
            percent = 100 * tagged.tag_probabilities(query.words)  # (words, tags)
            table = pd.DataFrame(percent.T, [chunks.slot(tag) for tag in tagged.vocabulary.tags])
            table = table.groupby(level=0).sum().set_axis(query.words, axis=1)
            heatmap(axes[row, column], table)
    for unused in axes[-2:, column + 1 :].flat:
        unused.remove()
    return figure
