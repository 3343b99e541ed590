"""How a network learns to forecast what it has never seen: from simulated series only.

forecast.py answers at once, whatever CSV it is given, by the network that is trained here. It has
never seen a real series, but millions of simulated ones, each of which is another task: to go on
where a part of it is hidden.

    series -> patches of 16 steps, what simple methods say of the next patch, and a scale
    each patch -> embedding -> two GRU layers -> how far to trust each simple method, step by step,
    a correction, and quantiles that can't cross

What is to come is missing just as gaps are: the GRU runs on over hidden patches, and one pass
answers all steps (contiguous patch masking: Auer et al., "TiRex", 2025; simulated series only:
Dooley et al., "ForecastPFN", 2023).

    python pretrain.py                       # 2.8 million series; goes on where it was stopped
    python pretrain.py --minutes 10          # as many as that takes
    python pretrain.py --without memory      # dense layers in place of the recurrent ones
    python pretrain.py --without simple      # nothing of simple methods: worse
    KERAS_BACKEND=jax python pretrain.py     # where JAX has a GPU
"""

import json
import math
import time

from utils import InputError, cli, plotting
from utils.files import output_folder, write_csv, write_json, written_whole
from utils.series import baselines, pretrained, prior, tasks
from utils.series.blend import error_of
from utils.series.heads import linear_heads
from utils.series.network import build_network, pinball, weights_of
from utils.series.patches import SIMPLE
from utils.series.zero_shot import errors, heeded, judges

import keras
import numpy as np
import pandas as pd

BATCH = 128  # series
EPOCH = 100  # steps, after which all is saved
STATE, HISTORY = "state.keras", "history.csv"


def parse_args(argv):
    parser = cli.Parser(prog="pretrain.py", description=__doc__.partition("\n")[0])
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--series", type=cli.whole_number(1), default=2_800_000)
    length.add_argument("--minutes", type=cli.number_above(0), help="train about so long")
    length.add_argument("--small", action="store_const", dest="minutes", const=2, help="2 minutes")
    parser.add_argument("--without", choices=["memory", "simple"], help="leave a part out")
    parser.add_argument("--seed", type=cli.whole_number(0, 2**32 - 1), default=0)
    parser.add_argument("--output-dir", default="outputs/pretrain", metavar="FOLDER")
    return parser.parse_args(argv)


def compiled(network, steps):
    """Return the network with its loss and an optimizer for so many steps."""
    warm = min(200, steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warm, warmup_target=0.003, warmup_steps=warm
    )
    optimizer = keras.optimizers.Muon(
        schedule, weight_decay=0.01, adam_weight_decay=0.01, adam_beta_2=0.98, global_clipnorm=1.0,
        exclude_layers=["heed", "correction", "apart"], use_ema=True, ema_momentum=0.998,
    )  # fmt: skip
    # XLA doesn't pay on a CPU's loops, and JAX compiles nothing without it
    network.compile(optimizer, pinball, jit_compile=keras.config.backend() == "jax")
    return network


def per_second(seed):
    """Return how many series a second a network learns from."""
    network, cycle = compiled(build_network(), 100), len(tasks.LENGTHS)
    for number, batch in zip(range(2 * cycle), tasks.batches(seed, BATCH), strict=False):
        if number == cycle:
            begin = time.perf_counter()
        network.train_on_batch(*batch)
    return cycle * BATCH / (time.perf_counter() - begin)


def begun(args, folder):
    """Return a network that is to be trained, or trained on, and for how many epochs in all."""
    facts, run = folder / "run.json", {"seed": args.seed, "without": args.without}
    asked = None if args.minutes else math.ceil(args.series / (BATCH * EPOCH))
    if (folder / STATE).exists():
        known = json.loads(facts.read_text())
        epochs = known.pop("epochs")
        if known != run or asked not in (None, epochs):
            raise InputError(f"{folder} holds another run; delete it, or name another --output-dir")
        return keras.saving.load_model(folder / STATE, custom_objects={"pinball": pinball}), epochs
    epochs = asked or math.ceil(60 * args.minutes * per_second(args.seed) / (BATCH * EPOCH))
    write_json({**run, "epochs": epochs}, facts)
    keras.utils.set_random_seed(args.seed)
    return compiled(build_network(args.without), epochs * EPOCH), epochs


def train(args, folder, judges):
    """Train, or go on; return the network and its history, a row per epoch, with `errors`."""
    network, epochs = begun(args, folder)
    done = int(network.optimizer.iterations) // EPOCH
    rows = pd.read_csv(folder / HISTORY).to_dict("records") if done else []
    begin = time.perf_counter() - (rows[-1]["seconds"] if rows else 0)

    def save(epoch, logs):
        row = {"series": (epoch + 1) * EPOCH * BATCH, "loss": logs["loss"]}
        rows.append(row | {"seconds": time.perf_counter() - begin})
        with written_whole(folder / STATE) as beside:
            network.save(beside)

    def judge(epoch, logs):  # while the averages of the weights are in the network
        if (epoch + 1).bit_count() == 1 or epoch + 1 == epochs:  # 1, 2, 4, 8, ...
            rows[-1] |= errors(network, judges)
        write_csv(pd.DataFrame(rows).set_index("series"), folder / HISTORY)

    network.fit(
        tasks.batches(args.seed, BATCH, done * EPOCH), steps_per_epoch=EPOCH, initial_epoch=done,
        epochs=epochs, verbose=2, shuffle=False,
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_end=save),
            keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
            keras.callbacks.LambdaCallback(on_epoch_end=judge),
        ],
    )  # fmt: skip
    return network, pd.DataFrame(rows).set_index("series")


def draw(network, history, judges):
    """Draw some of the series, the errors by the number of series seen, and what is heeded."""
    rows = [[f"{row}{column}" for column in range(4)] for row in range(4)]
    mosaic = [*rows, ["errors", "errors", "heed", "heed"], ["errors", "errors", "heed", "heed"]]
    figure, axes = plotting.plt.subplot_mosaic(mosaic, figsize=(11, 10))
    values, _ = prior.draw(np.random.default_rng(0), 16, 400)
    for name, series in zip(np.ravel(rows), values, strict=True):
        axes[name].plot(series, lw=0.7, color=plotting.BLUE)
        axes[name].set(xticks=[], yticks=[])
    figure.suptitle("Sixteen of the series that it learns from, and what it knows of others")

    for (name, judge), colour in zip(judges.items(), plotting.COLOURS.values(), strict=False):
        axes["errors"].plot(history[name].dropna(), "o-", color=colour, label=name)
        for style, rival in ((":", baselines.seasonal_naive), ("--", linear_heads(judge[0]))):
            axes["errors"].axhline(error_of(rival, *judge), color=colour, ls=style, lw=1)
    axes["errors"].set(
        xscale="log", yscale="log", xlabel="series seen", ylabel="MASE",
        title="Error of series that it never saw;\ndotted: seasonal naive, dashed: ridge",
    )  # fmt: skip
    axes["errors"].yaxis.set_major_formatter("{x:g}")
    axes["errors"].yaxis.set_minor_formatter("{x:g}")
    axes["errors"].legend()

    weights, colours = heeded(network, *judges["Greensboro"]), plotting.plt.get_cmap("tab20").colors
    axes["heed"].stackplot(range(1, 49), weights.T, labels=SIMPLE, colors=colours)
    axes["heed"].set(xlabel="hours ahead", ylim=(0, 1), title="What it heeds of Greensboro's hours")
    axes["heed"].legend(loc="upper left", bbox_to_anchor=(0, -0.15), ncols=2, fontsize=7)
    return figure


def main(argv=None):
    """Train, write the network and draw what it has learned."""
    args = parse_args(argv)
    folder, known = output_folder(args.output_dir), judges()
    network, history = train(args, folder, known)
    seen = int(history.index[-1])
    facts = {
        "date": time.strftime("%Y-%m-%d"), "seed": args.seed, "without": args.without,
        "series": seen, "seconds": round(float(history["seconds"].iloc[-1])),
        "loss": round(float(history["loss"].iloc[-10:].mean()), 4),
    }  # fmt: skip
    pretrained.save(folder / "forecaster.npz", weights_of(network), facts)
    plotting.save(draw(network, history, known), folder / "figure.png")
    for name, judge in known.items():
        naive = error_of(baselines.seasonal_naive, *judge)
        print(f"{name}: MASE {history[name].iloc[-1]:.3f}, seasonal naive {naive:.3f}")
    print(f"{seen:,} series in {facts['seconds']:,} s. Network and picture: {folder}")


if __name__ == "__main__":
    cli.run(main, "pretrain.py", ("tensorflow", "jax"))
