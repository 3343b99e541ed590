r"""How does any series go on? A small network that has seen a million others says it at once.

pretrain.py has taught it, on simulated series, to read any window and to answer with quantiles of
all steps ahead. So nothing is trained here: what validation makes of its forecast and the simple
ones, a blend, is written, with intervals that its newest errors widen. What known inputs do is
taken out before and brought back after. `--train` lets the network learn on from the series.

    python forecast.py                     # simulated: 100 shops, three years of days, promotions
    python forecast.py --csv data/weather_greensboro.csv --column temperature --horizon 48
    python forecast.py --csv sales.csv --column sales --series-column shop --known promotion,holiday
    python forecast.py --csv sales.csv --column sales --series-column shop --train
    python forecast.py --load outputs/forecast/model.keras --csv today.csv --column sales \
        --series-column shop
"""

import os
from pathlib import Path

from utils import InputError, cli, plotting, training
from utils.files import output_folder
from utils.series import calendar, many, outputs, pretrained, shops
from utils.series.backtest import Backtest
from utils.series.blend import Blend, Whole, blended, error_of, remembered, to_trust
from utils.series.boosting import Boosting
from utils.series.effects import Effects
from utils.series.heads import LinearHeads, linear_heads
from utils.series.panel import Panel, evenly
from utils.series.table import read_table

import keras
import numpy as np

MODEL = Path(__file__).parent / "models" / "forecaster.npz"
# by the steps of a season: none, a day of hours, a week of (business) days, a year of months, weeks
HORIZONS = {1: 12, 24: 48, 7: 28, 6: 24, 5: 20, 12: 12, 52: 13}
FEWEST = 8  # values of the longest series
EPOCH_WINDOWS = 2048
VAL_WINDOWS = 512
SAME = 1.02  # times an error: as good; then logarithms, whose errors are shares
NETWORKS = ("trained", "at_once")  # that a saved model holds

# what tune.py varies, with --train: from:to, or choices
SEARCH = {"learning-rate": "0.0003:0.01", "batch-size": "32/64/128"}


def parse_args(argv=None):
    parser = cli.Parser(prog="forecast.py", description=__doc__.partition("\n")[0])
    data = cli.add_data(parser)
    data.add_argument("--series-column", metavar="COLUMN", help="says whose row it is")
    data.add_argument("--known", type=cli.names, default=[], metavar="A,B",
                      help="columns that are known for the steps to come: append rows with them "
                      "and an empty target")  # fmt: skip
    ahead, steps = parser.add_argument_group("forecast"), cli.whole_number(1, cli.MOST_STEPS)
    ahead.add_argument("--horizon", type=steps, metavar="STEPS",
                       help="steps ahead (default: 28 days, 48 hours, 12 months, ...)")  # fmt: skip
    ahead.add_argument("--quantiles", type=many.quantiles, metavar="A,B,...",
                       help="such as 0.1,0.5,0.9, instead of a 90 %% interval")  # fmt: skip
    ahead.add_argument("--loss", choices=["absolute", "squared"], default="absolute",
                       help="what the forecast minimises: it is a median or a mean")  # fmt: skip
    ahead.add_argument("--season", type=steps, metavar="STEPS",
                       help="found by itself where times show it")  # fmt: skip
    ahead.add_argument("--load", metavar="FILE", help="forecast with this model; no training")
    learning = parser.add_argument_group("learning on from the series")
    learning.add_argument("--train", action="store_true", help="takes a minute or two")
    learning.add_argument("--refit", action="store_true", help="with --train: all rows in the end")
    learning.add_argument("--epochs", type=cli.whole_number(1), default=8, help="at most")
    learning.add_argument("--batch-size", type=cli.whole_number(1), default=64, help="windows")
    learning.add_argument("--learning-rate", type=cli.number_above(0), default=0.003)
    cli.add_run(parser, "outputs/forecast")
    args = cli.parse(parser, argv)
    if args.load and not args.csv:
        parser.error("--load needs --csv, the data to go on from")
    learning = {"--refit", "--epochs", "--batch-size", "--learning-rate"} & cli.given(argv)
    if learning and not args.train:
        parser.error(f"{', '.join(sorted(learning))}: only with --train")
    args.power = 2 if args.loss == "squared" else 1  # of the errors that choose
    return args


def read(args, known, learned=(None,)):
    """Return the series by name, their known columns, and the law of simulated ones."""
    if not args.csv:
        frames, law = shops.simulated(args.seed, ahead=args.horizon or HORIZONS[7])
        return frames, ["promotion"], law
    table = read_table(series_column=args.series_column, known=known, **cli.reading(args, learned))
    print(table)
    return table.frames, table.known, None


def lay_out(frames, known, args):
    """Return the panel, and whether there is enough of it to hold something back."""
    longest = max(frames.values(), key=len)
    season = args.season or calendar.season(longest.index) or 1
    length = max(int(frame.iloc[:, 0].notna().sum()) for frame in frames.values())
    if length < FEWEST:
        raise InputError(f"the longest series has {length} values, {FEWEST} are needed: bring more")
    horizon = args.horizon or HORIZONS.get(season, min(season, cli.MOST_STEPS))
    many.check_known(frames, known, horizon)
    steps = pretrained.window(len(longest), horizon)
    panel = Panel(frames, steps, horizon, known=known, season=season, short_windows=True)
    parts = panel.origins("train", horizon), panel.known_origins("val")
    return panel, length >= 4 * horizon and all(map(len, parts))


def at_once(panel, scored, args):
    """Return the pretrained network as a forecaster; of logarithms unless these are worse."""
    weights, _ = pretrained.load(MODEL)
    effects = Effects(panel) if panel.known.shape[1] and panel.lowest == 0 else None
    quantiles = pretrained.symmetric(args.quantiles)
    plain = pretrained.AtOnce(weights, quantiles, False, args.power == 2, effects)
    if not (scored and panel.positive):
        return plain
    origins = evenly(panel.origins("val"), pretrained.scored_windows(panel), panel.season)
    logs = plain._replace(log=True)
    error, other = (error_of(network, panel, origins, args.power) for network in (logs, plain))
    return logs if error <= SAME * other else plain


def learn_on(start, panel, args, on_epoch=None, refit=None):
    """Train the network on the series, from what it has learned of the simulated ones.

    It learns from the train part, judged by validation, or with `refit`, so many epochs, from all.
    Returns the forecaster, a model of both networks, before and after, and the fit.
    """
    from utils.series.network import build_network, pinball, set_weights, weights_of

    origins = panel.origins("all" if refit else "train", panel.horizon)
    keras.utils.set_random_seed(args.seed)
    network, before = (set_weights(build_network(), start.weights) for _ in NETWORKS)
    steps = -(-min(EPOCH_WINDOWS, len(origins)) // args.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, args.epochs * steps - steps // 2, warmup_target=args.learning_rate,
        warmup_steps=steps // 2,
    )  # fmt: skip
    network.compile(
        keras.optimizers.AdamW(
            rate, weight_decay=0.01, global_clipnorm=1.0, use_ema=True, ema_momentum=0.95
        ),
        pinball, jit_compile=False,
    )  # fmt: skip
    val = evenly(panel.origins("val", panel.horizon), VAL_WINDOWS)
    fit = training.fit(
        network, pretrained.batches(start, panel, origins, args.batch_size, args.seed),
        pretrained.examples(start, panel, val) if len(val) and not refit else None,
        steps=steps, epochs=refit or args.epochs, on_epoch=on_epoch,
    )  # fmt: skip
    learned = start._replace(weights=weights_of(network))
    network.compiled = False  # its loss, a function, can't be saved with a model around it
    network.name, before.name = NETWORKS
    both = keras.Model(network.inputs, [network(network.inputs), before(network.inputs)])
    return learned, both, fit


def draw(panel, forecast, found=None):
    """Draw four series and what comes; below, error and coverage by the number of steps ahead."""
    single = panel.names == [""]
    rows = (["AA"] if single else ["AB", "CD"]) + ["EF"] * bool(found)
    figure, axes = plotting.plt.subplot_mosaic(";".join(rows), figsize=(11, 2.9 * len(rows)))
    shown = zip("A" if single else "ABCD", many.shown(panel, found), strict=False)
    for name, (title, number) in shown:
        past = panel.series(number).iloc[-max(2 * panel.horizon, 8 * panel.season) :]
        ahead = forecast if single else forecast.loc[[panel.names[number]]].set_index("time")
        bounds = [column for column in ahead if column not in ("forecast", "mean")]
        ahead = ahead[["forecast", bounds[0], bounds[-1]]]
        ahead = ahead.set_axis(["forecast", *many.outer(bounds)], axis=1)
        plotting.draw_forecast(axes[name], past, ahead)
        axes[name].get_legend().set_visible(name == "A")
        axes[name].set_ylabel(past.name if single else title)
    if not found:
        return figure

    plotting.draw_by_steps(axes["E"], found.scores["test"], found.written)
    for level, coverage in found.scores["coverage"].items():
        held = np.array(coverage["by_step"], float)  # NaN where it is None
        axes["F"].plot(range(1, panel.horizon + 1), held, color=plotting.BLUE)
        axes["F"].axhline(float(level), color=plotting.BLACK, lw=0.8, ls=":")
    axes["F"].set(title="How often the interval held", xlabel="steps ahead")
    axes["F"].set_ylim(min(0.5, found.levels[-1] - 0.2), 1.0)
    return figure


def compete(panel, network, args, on_epoch=None):
    """Return the forecasters by name, the networks among them, the model of both and its fit."""
    parts = many.simple(panel) | {"linear": linear_heads(panel, args.power)}
    parts["at once"] = remembered(network)
    if not args.train:
        return parts, {"at once": network}, None, None
    learned, model, fit = learn_on(network, panel, args, on_epoch)
    parts["trained"] = remembered(learned)
    return parts, {"at once": network, "trained": learned}, model, fit


def main(argv=None, on_epoch=None):
    """Forecast, score, draw; return what scores.json holds.

    With `on_epoch`, a function of the lowest validation loss so far, the run ends with the
    training: it is a trial of tune.py.
    """
    args = parse_args(argv)
    if args.load:
        return go_on(args)
    frames, known, law = read(args, args.known)
    panel, scored = lay_out(frames, known, args)
    network = at_once(panel, scored, args)
    folder = output_folder(args.output_dir)
    if not scored:
        return unscored(panel, network, args, folder)

    parts, networks, model, fit = compete(panel, network, args, on_epoch)
    if on_epoch:
        return None
    windows = pretrained.scored_windows(panel)
    name = "trained" if args.train else "at once"
    trusted = to_trust(parts, panel, windows, args.power)
    blend = blended(parts, panel, trusted, network.quantiles[-1], windows, args.power)
    rivals = parts | {"blend": blend} | ({"boosting": Boosting(panel)} if known else {})
    if panel.whole and args.power == 1:
        rivals = {name: Whole(rival) for name, rival in rivals.items()}
    if law:
        rivals["optimal"] = shops.Optimal(law)
    print(f"Validation votes for {blend}.")
    of_network = {"levels": network.levels, "log": network.log, "windows": windows}
    found = Backtest(rivals, panel, name, written="blend", **of_network)
    print(found)
    interrupted = fit and fit.interrupted
    if args.refit and not interrupted:
        networks[name], model, again = learn_on(network, panel, args, refit=fit.best_epoch)
        interrupted = again.interrupted
        blend = blend._replace(parts=parts | {name: networks[name]})

    facts = many.facts_of(panel, args, found, networks[trusted], blend)
    forecast = many.look_ahead(panel, blend, networks[trusted], facts)
    scores = outputs.scores_of("forecast.py", args, found, fit.seconds if fit else 0.0)
    tables = {"backtest.csv": found.table(), "series.csv": many.by_series(found)}
    files = forecast, tables, scores, model, facts
    print(outputs.write(folder, args.show, draw(panel, forecast, found), *files))
    if interrupted:
        raise KeyboardInterrupt
    return scores


def unscored(panel, network, args, folder):
    """Forecast series that are too short to hold anything back."""
    print(
        f"Too few values to hold {panel.horizon} steps back twice: nothing could be "
        + "learned or " * args.train
        + "scored, and the interval is the network's own."
    )
    corrections = np.zeros((len(network.levels), panel.horizon))
    facts = {"levels": network.levels, "log": network.log, "corrections": corrections}
    forecast = many.look_ahead(panel, network, network, facts | many.asked(panel, args, None))
    print(outputs.write(folder, args.show, draw(panel, forecast), forecast))


def go_on(args):
    """Forecast with a trained network: the model's own columns, horizon and quantiles."""
    from utils.series.network import weights_of

    if not os.path.exists(args.load):
        raise InputError(f"--load {args.load}: no such file; a run with --train writes model.keras")
    model, facts = training.load(args.load, "forecast.py")
    cli.check_learned("known", args.known, facts["asked_known"])
    cli.check_learned("column", [args.column] * bool(args.column), facts["asked"][:1])
    cli.check_learned("horizon", [args.horizon] * bool(args.horizon), [facts["horizon"]])
    frames, known, _ = read(args, facts["asked_known"], facts["asked"])
    many.check_known(frames, known, facts["horizon"])
    panel = outputs.panel_of(frames, facts["horizon"], facts, args.load)
    panel.mostly_zero = facts["mostly_zero"]  # it decides which parts there are
    folder = output_folder(args.output_dir)
    effects = facts["effects"] and Effects(panel, facts["effects"])
    parts = many.simple(panel) | {"linear": LinearHeads.of_facts(facts["linear"])}
    for name in NETWORKS:
        parts[name.replace("_", " ")] = pretrained.AtOnce(
            weights_of(model.get_layer(name)), pretrained.symmetric(facts["quantiles"]),
            facts["log"], facts["squared"], effects,
        )  # fmt: skip
    network = parts[facts["trusted"]]
    blend = Blend(parts, facts["weights"], facts["trusted"], network.quantiles[-1])
    forecast = many.look_ahead(panel, blend, network, facts)
    print(outputs.write(folder, args.show, draw(panel, forecast), forecast))


if __name__ == "__main__":
    cli.run(main, "forecast.py")
