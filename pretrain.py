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

    python pretrain.py                       # 2.8 million series, an hour and a half on two cores
    python pretrain.py --minutes 10          # as many as that takes
    python pretrain.py --without memory      # dense layers in place of the recurrent ones: alike
    python pretrain.py --without simple      # nothing of simple methods: worse
    KERAS_BACKEND=jax python pretrain.py     # where JAX has a GPU

It goes on where it was stopped.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from utils import InputError, cli, plotting
from utils.files import output_folder, write_csv, write_json, written_whole
from utils.series import baselines, pretrained, prior, shops, tasks
from utils.series.blend import error_of
from utils.series.heads import linear_heads
from utils.series.panel import Panel, evenly
from utils.series.patches import PATCH, QUANTILES, SIMPLE, VALUES
from utils.series.table import read_table

import keras
import numpy as np
import pandas as pd
from scipy.special import softmax

BATCH = 128  # series
EPOCH = 100  # steps, after which all is saved
STATE, HISTORY = "state.keras", "history.csv"


def build_network(without=None, units=128, recurrent=2):
    """Return a network from `Patches.inputs` to quantiles, (series, patches, PATCH, quantiles).

    They are changes from the last value known, in `Patches.change`, of the patch after each.
    """
    layers, ops, GRU = keras.layers, keras.ops, keras.layers.GRU
    if keras.config.backend() == "tensorflow":
        from utils.fused import GRU  # the same, faster on a CPU
    values = keras.Input((None, VALUES), name="values")
    simple = keras.Input((None, PATCH, len(SIMPLE)), name="simple")
    known = keras.Input((None, PATCH, len(SIMPLE)), name="known")

    inputs = [values, simple, known]
    if without == "simple":
        simple, known = 0 * simple, 0 * known

    # 1. a patch as it is, and what simple methods say of the next one
    flat = layers.Reshape((-1, PATCH * len(SIMPLE)))
    read = ops.concatenate([values, ops.arcsinh(flat(simple)), flat(known)], axis=-1)
    x = layers.Dense(units, name="straight")(read)
    x += layers.Dense(units, name="embed")(layers.Dense(units, "gelu", name="hidden")(read))

    # 2. what came before
    for number in range(recurrent):
        normal = layers.LayerNormalization(name=f"normal_{number}")(x)
        if without == "memory":
            x += layers.Dense(units, "tanh", name=f"memory_{number}")(normal)
        else:
            x += GRU(units, return_sequences=True, name=f"memory_{number}")(normal)

    # 3. which simple forecast to trust at each step to come, how to correct it, how sure that is
    x = layers.Dense(units, "gelu", name="head")(ops.concatenate([x, read], axis=-1))
    by_step = layers.Reshape((-1, PATCH, len(SIMPLE)))
    heed = by_step(layers.Dense(PATCH * len(SIMPLE), name="heed")(x)) - 1e4 * (1 - known)
    heed = ops.softmax(heed)
    middle = ops.sum(heed * known * simple, axis=-1, keepdims=True)
    middle += layers.Dense(PATCH, kernel_initializer="zeros", name="correction")(x)[..., None]
    half = len(QUANTILES) // 2
    apart = layers.Dense(PATCH * 2 * half, "softplus", name="apart")(x)
    blind = ops.exp(0.5 * values[..., 3 * PATCH, None, None])  # sqrt(1 + patches without a value)
    apart = layers.Reshape((-1, PATCH, 2 * half))(apart) * blind
    lower = middle - ops.flip(ops.cumsum(ops.flip(apart[..., :half], -1), -1), -1)
    upper = middle + ops.cumsum(apart[..., half:], -1)
    return keras.Model(inputs, ops.concatenate([lower, middle, upper], -1))


def weights_of(network):
    """Return the weights of a network by "layer/weight", NumPy arrays."""
    to_numpy = keras.ops.convert_to_numpy
    return {f"{a.name}/{w.name}": to_numpy(w) for a in network.layers for w in a.weights}


def set_weights(network, weights):
    """Give a network weights that `weights_of` returned; return it."""
    for layer in network.layers:
        layer.set_weights([weights[f"{layer.name}/{weight.name}"] for weight in layer.weights])
    return network


def pinball(actual, predicted):
    """Return the loss of quantiles, (); see `utils.series.patches.targets`."""
    value, weight, unit = actual[..., :1], actual[..., 1], actual[..., 2]
    q = np.array(QUANTILES, "float32")
    error = value - predicted
    loss = keras.ops.mean(keras.ops.maximum(q * error, (q - 1) * error), axis=-1)
    loss = keras.ops.minimum(unit * loss, 20.0)  # a spike must not outweigh the batch
    return keras.ops.sum(weight * loss) / keras.ops.sum(weight)


def parse_args(argv):
    parser = cli.Parser(prog="pretrain.py", description=__doc__.partition("\n")[0])
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--series", type=cli.whole_number(BATCH * EPOCH), help="default: 2,800,000")
    length.add_argument("--minutes", type=cli.number_above(0), help="train about so long")
    length.add_argument("--small", action="store_true", help="two minutes")
    parser.add_argument("--without", choices=["memory", "simple"], help="leave a part out")
    parser.add_argument("--seed", type=cli.whole_number(0, 2**32 - 1), default=0)
    parser.add_argument("--output-dir", default="outputs/pretrain", metavar="FOLDER")
    args = parser.parse_args(argv)
    args.minutes = 2 if args.small else args.minutes
    args.series = args.series or (None if args.minutes else 2_800_000)
    return args


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


def epochs_of(series):
    return max(round(series / (BATCH * EPOCH)), 1)


def begun(args, folder):
    """Return a network that is to be trained, or trained on, and for how many epochs in all."""
    facts, run = folder / "run.json", {"seed": args.seed, "without": args.without}
    if (folder / STATE).exists():
        known = json.loads(facts.read_text())
        epochs = known.pop("epochs")
        if known != run or (args.series and epochs_of(args.series) != epochs):
            raise InputError(f"{folder} holds another run; delete it, or name another --output-dir")
        return keras.saving.load_model(folder / STATE, custom_objects={"pinball": pinball}), epochs
    epochs = epochs_of(args.series or 60 * args.minutes * per_second(args.seed))
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


# ------------------------------------------------------------------ what it knows of real series


def judges():
    """Return, by name, a panel that the network never learns from, and origins of it."""
    data, found = Path(__file__).parent / "data", {}
    sales = {name: frame[["sales"]] for name, frame in shops.simulated(0, 30)[0].items()}
    for name, frames, horizon in (
        ("Greensboro", read_table(data / "weather_greensboro.csv", "temperature").frames, 48),
        ("Google", read_table(data / "stock_goog.csv", "close").frames, 20),
        ("shops", sales, 28),
    ):
        longest = max(len(frame) for frame in frames.values())
        steps = pretrained.window(longest, horizon)
        panel = Panel(frames, steps, horizon, short_windows=True)
        found[name] = panel, evenly(panel.origins("val", horizon), 100)
    return found


def errors(network, judges):
    """Return the MASE of the network's forecasts by judge."""
    window = pretrained.AtOnce({}, pretrained.symmetric(None))

    def median(panel, origins):
        cut, first = window.patches(panel, origins)
        outputs = keras.ops.convert_to_numpy(network(cut.inputs))[:, first:]
        return cut.outer(outputs, first)[:, : panel.horizon, QUANTILES.index(0.5)]

    return {name: error_of(median, *judge) for name, judge in judges.items()}


def draw(network, history, judges):
    """Draw some of the series, the errors by the number of series seen, and what is heeded."""
    rows = [[f"{row}{column}" for column in range(4)] for row in range(4)]
    mosaic = [*rows, ["errors", "errors", "heed", "heed"], ["errors", "errors", "heed", "heed"]]
    figure, axes = plotting.new_figure(mosaic, size=(11, 10))
    values, _ = prior.draw(np.random.default_rng(0), 16, 400)
    for name, series in zip(np.ravel(rows), values, strict=True):
        axes[name].plot(series, lw=0.7, color=plotting.BLUE)
        axes[name].set(xticks=[], yticks=[])
    figure.suptitle("Sixteen of the series that it learns from, and what it knows of others")

    colours = (plotting.BLUE, plotting.ORANGE, plotting.GREEN)
    for (name, (panel, origins)), colour in zip(judges.items(), colours, strict=True):
        axes["errors"].plot(
            history[name].dropna(), "o-", color=colour, label=f"{name}: the network"
        )
        for style, rival in ((":", baselines.seasonal_naive), ("--", linear_heads(panel))):
            error = error_of(rival, panel, origins)
            axes["errors"].axhline(error, color=colour, ls=style, lw=1)
    axes["errors"].set(
        xscale="log", yscale="log", xlabel="series seen", ylabel="MASE",
        title="Error of series that it never saw;\ndotted: seasonal naive, dashed: ridge",
    )  # fmt: skip
    axes["errors"].yaxis.set_major_formatter("{x:g}")
    axes["errors"].yaxis.set_minor_formatter("{x:g}")
    axes["errors"].legend()

    panel, origins = judges["Greensboro"]
    weights = heeded(network, panel, origins)
    palette = [*plotting.COLOURS.values(), plotting.BLUE, plotting.BLACK, plotting.RED]
    axes["heed"].stackplot(np.arange(1, 49), weights.T, labels=SIMPLE, colors=palette)
    axes["heed"].set(xlabel="hours ahead", ylim=(0, 1), title="What it heeds of Greensboro's hours")
    axes["heed"].legend(loc="upper left", bbox_to_anchor=(0, -0.15), ncols=2, fontsize=7)
    return figure


def heeded(network, panel, origins):
    """Return how far each simple forecast is trusted by steps ahead, (horizon, simple)."""
    cut, first = pretrained.AtOnce({}, pretrained.symmetric(None)).patches(panel, origins)
    scores = keras.Model(network.inputs, network.get_layer("heed").output)(cut.inputs)
    scores = keras.ops.convert_to_numpy(scores).reshape(cut.known.shape) - 1e4 * (1 - cut.known)
    weights = softmax(scores[:, first:], axis=-1).mean(axis=0).reshape(-1, len(SIMPLE))
    return weights[: panel.horizon]


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
    for name, (panel, origins) in known.items():
        naive = error_of(baselines.seasonal_naive, panel, origins)
        print(f"{name}: MASE {history[name].iloc[-1]:.3f}, seasonal naive {naive:.3f}")
    print(f"{seen:,} series in {facts['seconds']:,} s. Network and picture: {folder}")


if __name__ == "__main__":
    cli.run(main, "pretrain.py", ("tensorflow", "jax"))
