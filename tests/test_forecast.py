"""forecast.py end to end, at a tiny size: what it writes, what it refuses, what it promises."""

import json
import zipfile
from pathlib import Path

import forecast
from utils import cli
from utils.series import direct, shops
from utils.series.heads import LinearHeads, Scaling
from utils.series.panel import Panel

import keras
import numpy as np
import pandas as pd
import pytest

TINY = ["--units", "4", "--epochs", "1", "--input-steps", "14"]
FILES = {"model.keras", "forecast.csv", "backtest.csv", "series.csv", "scores.json", "figure.png"}
RNG = np.random.default_rng(0)
DAYS = pd.date_range("2021-01-04", periods=207)  # from a Monday on; the last seven are to come
WEEK = np.sin(2 * np.pi * np.arange(207) / 7)


def words(*argv):
    return [str(word) for word in argv]


def run(argv):
    """Run the script as its command does; return the exit code."""
    with pytest.raises(SystemExit) as exit:
        cli.run(lambda: forecast.main(words(*argv)), "forecast.py")
    return exit.value.code


def files(folder):
    return {path.name for path in folder.iterdir()}


def facts_of(folder):
    with zipfile.ZipFile(folder / "model.keras") as archive:
        return json.loads(archive.read("facts.json"))


@pytest.fixture(scope="module")
def shop_csv(tmp_path_factory):
    """Series of all kinds, what is known of seven days to come, a day on which all were closed."""
    shop = {
        "a": 100 + 30 * WEEK + RNG.normal(0, 3, 207),
        "b": 40 + 10 * WEEK + RNG.normal(0, 1, 207),
        "young": np.r_[np.full(197, np.nan), [40.5, 44, 36], np.full(7, np.nan)],
        "fee": np.full(207, 5000.37),
        "unused": np.zeros(207),
        "dead": np.full(207, np.nan),
    }
    frames = {}
    for name, sales in shop.items():
        promotion = RNG.integers(0, 2, 207)
        sales = np.where(np.arange(207) < 200, sales, np.nan)
        frame = pd.DataFrame({"sales": sales, "promotion": promotion}, DAYS.rename("time"))
        frame["weekday"], frame["sky"] = DAYS.day_name(), RNG.choice(["sun", "rain"], 207)
        frames[name] = frame.iloc[197:] if name == "young" else frame
        if name != "young":
            frames[name] = frames[name].drop(DAYS[[100, 202]])
    path = tmp_path_factory.mktemp("shops") / "sales.csv"
    pd.concat(frames, names=["shop"]).round(3).to_csv(path)
    return path


def flags(csv):
    known = ["--series-column", "shop", "--known", "promotion,weekday", "--features", "sky"]
    return ["--csv", csv, "--column", "sales", *known, "--horizon", "7"]


@pytest.fixture(scope="module")
def trained(shop_csv, tmp_path_factory):
    """What a run on the shops leaves: its folder and its scores."""
    folder = tmp_path_factory.mktemp("trained")
    return folder, forecast.main(words(*flags(shop_csv), *TINY, "--output-dir", folder))


def test_scores(trained):
    folder, scores = trained
    assert files(folder) == FILES
    assert json.loads((folder / "scores.json").read_text(encoding="utf-8")) == scores
    assert (scores["series"], scores["horizon"], scores["input_steps"]) == (5, 7, 14)
    assert (scores["network"], scores["season"]) == ("GRU", 7)
    names = {"GRU", "persistence", "seasonal_naive", "linear", "boosting", scores["written"]}
    for part in ("test", "val"):
        assert names <= set(scores[part]) <= names | {"zero", "mean"}
        for line in scores[part].values():
            assert set(line) == {"mae", "rmse", "mase", "smape", "by_step"}
            assert len(line["by_step"]["mae"]) == 7 and line["rmse"] >= line["mae"] > 0
    assert len(scores["coverage"]["0.9"]["by_step"]) == 7
    assert scores["best_baseline"] in names - {"GRU", scores["written"]}


def test_tables(trained):
    folder, scores = trained
    coming = pd.read_csv(folder / "forecast.csv", parse_dates=["time"])
    assert list(coming) == ["series", "time", "forecast", "lower", "upper"]
    assert (coming.groupby("series").size() == 7).all()
    assert (coming["time"].min(), coming["time"].max()) == (DAYS[200], DAYS[206])
    assert (coming["lower"] <= coming["forecast"]).all() and coming["lower"].min() >= 0
    assert (coming["forecast"] <= coming["upper"]).all()
    assert np.isfinite(coming.iloc[:, 2:]).all(axis=None)
    by_series = pd.read_csv(folder / "series.csv", index_col="series")
    assert by_series["values"].to_dict() == {
        "a": 200,
        "b": 200,
        "young": 3,
        "fee": 200,
        "unused": 200,
    }
    table = pd.read_csv(folder / "backtest.csv", parse_dates=["origin", "time"])
    assert ((table["time"] - table["origin"]).dt.days == table["step"]).all()
    error = (table["actual"] - table[scores["written"]]).abs()
    assert error.mean() == pytest.approx(scores["test"][scores["written"]]["mae"], rel=1e-6)


def test_series_that_stand_still_and_young_ones(trained):
    coming = pd.read_csv(trained[0] / "forecast.csv", index_col="series").drop(columns="time")
    np.testing.assert_allclose(coming.loc["fee"], 5000.37, rtol=1e-6)
    np.testing.assert_allclose(coming.loc["unused"], 0, atol=1e-9)
    week = 40 + 10 * WEEK[200:]  # of the young one, which a level of three days doesn't tell
    assert coming.loc["young", "lower"].lt(week).sum() >= 6
    assert coming.loc["young", "upper"].gt(week).sum() >= 6
    width = coming["upper"] - coming["lower"]
    assert 1.5 * width["b"].mean() < width["young"].mean() < 40


def test_a_loaded_model_says_the_same(trained, shop_csv, tmp_path, capsys):
    """From columns in another order, series too, and with its own names of columns."""
    table = pd.read_csv(shop_csv)
    table[table["shop"] != "a"].iloc[:, ::-1].to_csv(tmp_path / "turned.csv", index=False)
    argv = ["--load", trained[0] / "model.keras", "--series-column", "shop", "--csv"]
    for csv, some in ((shop_csv, slice(None)), (tmp_path / "turned.csv", "young")):
        out = tmp_path / csv.stem
        out.mkdir()
        (out / "scores.json").write_text("of another run")
        assert forecast.main(words(*argv, csv, "--output-dir", out)) is None
        assert files(out) == {"forecast.csv", "figure.png"}
        before, after = (
            pd.read_csv(f / "forecast.csv", index_col="series") for f in (trained[0], out)
        )
        pd.testing.assert_frame_equal(after.loc[some], before.loc[some], check_exact=True)
    assert "no value of 'sales', left out" in capsys.readouterr().out


def test_words_of_a_known_column_are_matched_by_name(trained, shop_csv, tmp_path):
    """Newer data begin on another weekday, know a new word, and lack the skies' second one."""
    table = pd.read_csv(shop_csv)
    table = table[(table["shop"] == "b") & (table["time"] > "2021-05-05")].assign(sky="rain")
    table["weekday"] = table["weekday"].mask(table["time"] == "2021-05-10", "Holiday")
    table.to_csv(tmp_path / "newer.csv", index=False)
    argv = ["--load", trained[0] / "model.keras", "--series-column", "shop"]
    forecast.main(words(*argv, "--csv", tmp_path / "newer.csv", "--output-dir", tmp_path))
    after = pd.read_csv(tmp_path / "forecast.csv")["forecast"]
    before = pd.read_csv(trained[0] / "forecast.csv", index_col="series")["forecast"]["b"]
    np.testing.assert_allclose(after, before, rtol=0.2)  # the skies of its window are others
    assert np.ptp(after) > 5  # the week


def test_a_loaded_model_refuses_what_it_has_not_learned(trained, shop_csv, tmp_path, capsys):
    argv = ["--load", trained[0] / "model.keras", "--csv", shop_csv, "--series-column", "shop"]
    for more, said in {
        ("--horizon", "3"): "--horizon 3: ",
        ("--column", "promotion"): "--column promotion: ",
        ("--known", "promotion"): "--known promotion: the model that --load names has learned",
        ("--features", "promotion"): "--features promotion: the model",
        ("--known", "weekday,promotion", "--load", "none.keras"): "none.keras is not a model",
    }.items():
        assert run([*argv, "--output-dir", tmp_path / "out", *more]) == 2
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1
    table = pd.read_csv(shop_csv, parse_dates=["time"])
    table["time"] = DAYS[0] + (table["time"] - DAYS[0]) / 24
    table.to_csv(tmp_path / "hours.csv", index=False)
    argv[3] = tmp_path / "hours.csv"
    assert run([*argv, "--output-dir", tmp_path / "out"]) == 2
    assert "learned a step of D, the data's step is h" in capsys.readouterr().err
    assert files(tmp_path) == {"hours.csv"}


# ------------------------------------------------------------------ one series


def single(folder, values, *more):
    """Run on one daily series of 200 values and return forecast.csv, backtest.csv, the scores."""
    pd.DataFrame({"y": values}, DAYS[: len(values)].rename("time")).to_csv(folder / "y.csv")
    argv = ["--csv", folder / "y.csv", "--column", "y", "--horizon", 7, *TINY]
    scores = forecast.main(words(*argv, "--output-dir", folder, *more))
    return *(pd.read_csv(folder / f"{name}.csv") for name in ("forecast", "backtest")), scores


@pytest.mark.parametrize(("level", "unit"), [(2e9, 60), (3e21, 1e19), (5e-9, 1e-9)])
def test_any_level_and_any_unit(level, unit, tmp_path):
    """The forecast follows the swing as exactly as it would follow that of a hundred."""
    values = level + unit * (WEEK[:200] + RNG.normal(0, 0.1, 200))
    more = ["--networks", 2, "--refit", "--quantiles", "0.1,0.5,0.95"] if level == 2e9 else []
    coming, _, scores = single(tmp_path, values, *more)
    assert np.abs(coming["forecast"] - level - unit * WEEK[200:]).mean() < 0.2 * unit
    assert scores["test"][scores["written"]]["mae"] < 0.2 * unit
    changes = np.diff(coming["forecast"] - level) / unit
    assert len(set(changes.round(6))) == 6  # no two are alike
    if more:
        assert list(coming) == ["time", "forecast", "q0.1", "q0.5", "q0.95"]
        assert set(scores["coverage"]) == {"0.9", "0.8"}
        again = tmp_path / "again"
        load = ["--load", tmp_path / "model.keras", "--csv", tmp_path / "y.csv"]
        forecast.main(words(*load, "--output-dir", again))
        assert (again / "forecast.csv").read_text() == (tmp_path / "forecast.csv").read_text()


def test_counts_are_whole_and_a_mean_stands_beside_them(tmp_path):
    values = RNG.poisson(0.8, 200)
    coming, table, scores = single(tmp_path, values, "--quantiles", "0.5,0.9")
    assert list(coming) == ["time", "forecast", "q0.5", "q0.9", "mean"]
    assert (coming["forecast"] == coming["q0.5"]).all()
    whole = [*coming[["forecast", "q0.5", "q0.9"]].to_numpy().ravel(), *table[scores["written"]]]
    assert np.array_equal(whole, np.rint(whole)) and min(whole) >= 0
    assert (coming["mean"] > 0.3).all() and {"zero", "mean"} <= set(scores["test"])


def test_the_test_part_chooses_nothing(tmp_path):
    """Bounds, whole numbers, logarithms, and forecasts and intervals made before it: the same."""
    values = np.rint(100 + 30 * WEEK[:200] + RNG.normal(0, 5, 200))
    later = np.r_[values[:170], -0.5 - values[170:]]  # the last 15 %: negative, not whole
    first, facts = [], []
    for name, some in (("one", values), ("other", later)):
        folder = tmp_path / name
        folder.mkdir()
        _, table, scores = single(folder, some)
        before = table[table["origin"] == str(DAYS[169].date())]
        first.append(before.drop(columns="actual").set_axis(range(table.shape[1] - 1), axis=1))
        facts.append({**facts_of(folder), "corrections": None})
        assert len(before) == 7 and scores["written"] in table
    pd.testing.assert_frame_equal(*first, check_exact=True)
    assert facts[0] == facts[1] and facts[0]["whole"] and facts[0]["lowest"] == 0


def test_ctrl_c_keeps_the_best_weights_and_writes_everything(tmp_path, monkeypatch, capsys):
    class Stop(keras.callbacks.History):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    simulated = shops.simulated
    monkeypatch.setattr(keras.callbacks, "History", Stop)
    monkeypatch.setattr(shops, "simulated", lambda seed: simulated(seed, number=3, days=300))
    assert run(["--units", 4, "--networks", 3, "--output-dir", tmp_path]) == 130
    assert files(tmp_path) == FILES
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert "optimal" in scores["test"] and scores["data"] == "simulated"
    assert capsys.readouterr().err == "forecast.py: interrupted\n"


def test_bad_input_is_one_line_and_leaves_nothing(shop_csv, tmp_path, capsys):
    out = tmp_path / "out"
    good = [*flags(shop_csv), "--output-dir", out]
    table = pd.read_csv(shop_csv)
    pd.concat([table] * 2).to_csv(tmp_path / "twice.csv", index=False)
    table[table["time"] < "2021-07-20"].to_csv(tmp_path / "few.csv", index=False)
    table[:11].to_csv(tmp_path / "short.csv", index=False)
    cases = {
        ("--horizon", "0"): "'0' is not a whole number",
        ("--horizon", "90"): "--horizon 90 needs",
        ("--horizon", "14"): "--known 'promotion' ends 7 steps after",
        ("--series-column", "store"): "store",
        ("--known", "weather"): "weather",
        ("--csv", tmp_path / "twice.csv"): "twice",
        ("--csv", tmp_path / "few.csv"): "--known 'promotion' ends 0 steps after",
        ("--csv", tmp_path / "short.csv"): "needs",
        ("--csv", tmp_path / "none.csv"): "none.csv",
        ("--quantiles", "0.1,0.9"): "must ascend and hold 0.5",
        ("--quantiles", "0.5"): "must ascend and hold 0.5 and others",
        ("--quantiles", "0.0000001,0.5"): "must ascend",
        ("--dataset", "etth1"): "unrecognized arguments: --dataset",
    }
    for more, said in cases.items():
        assert run([*good, *more]) == 2, more
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1, (more, error)
        assert not out.exists()
    for argv in (["--column", "sales"], ["--load", tmp_path / "m.keras"], ["--csv", shop_csv]):
        assert run([*argv, "--output-dir", out]) == 2


# ------------------------------------------------------------------ the network


def small(log=False, level=False, layer="gru"):
    """Return a panel with a gap and known columns, its linear heads, and the flags."""
    rng = np.random.default_rng(0)
    y = 20 + 5 * WEEK[:120] + rng.normal(0, 1, 120)
    y[40:43] = y[111:] = np.nan  # a gap, and steps to come
    columns = {"y": y, "promotion": rng.integers(0, 2, 120) * 1.0, "x": rng.normal(0, 1, 120)}
    frames = {"a": pd.DataFrame(columns, DAYS[:120])}
    panel = Panel(frames, 14, 9, known=["promotion"], held_back=(20, 20), short_windows=True)
    linear = LinearHeads(panel, [Scaling(log, log, level)])
    args = forecast.parse_args(["--layer", layer, "--units", "4"])
    args.segment = 7
    return panel, linear, args


@pytest.mark.parametrize(
    ("log", "level", "layer"), [(False, True, "gru"), (True, False, "lstm"), (True, True, "simple")]
)
def test_an_untrained_network_is_the_linear_heads(log, level, layer):
    panel, linear, args = small(log, level, layer)
    network = direct.Direct(forecast.build_network(panel, linear, args), args.quantiles, True, log)
    origins = panel.origins("test")
    found, expected = network(panel, origins), linear(panel, origins)
    assert found.shape == (len(origins), 9, 4)
    for output in range(4):
        np.testing.assert_allclose(found[..., output], expected, rtol=1e-3)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_share_of_what_was_learned_is_kept(share):
    panel, linear, args = small()
    network, copy = (forecast.build_network(panel, linear, args) for _ in range(2))
    for name in ("start", "correction"):
        layer = network.get_layer(name)
        layer.set_weights([w + RNG.normal(0, 0.01, w.shape) for w in layer.get_weights()])
    kernel, bias = network.get_layer("correction").get_weights()  # that quantiles don't cross
    network.get_layer("correction").set_weights([kernel, bias + np.tile([0, -1, 0, 1], 7)])
    whole = direct.Direct(network, args.quantiles, False, False)
    origins = panel.origins("test")
    before, start = whole(panel, origins), linear(panel, origins)
    after = direct.blended(whole, linear, share, copy)(panel, origins)
    expected = share * before[..., 0] + (1 - share) * start
    np.testing.assert_allclose(after[..., 0], expected, rtol=1e-4)
    for one, other in ((after, before), (after, after)):
        widths = one[..., 3] - one[..., 1], other[..., 3] - other[..., 1]
        np.testing.assert_allclose(*widths, atol=1e-4)


@pytest.mark.parametrize("log", [False, True])
def test_the_loss_is_least_at_the_mean_and_the_quantiles(log):
    values = np.random.default_rng(0).lognormal(1, 0.5, 40_000).astype("float32")
    actual = np.stack([values, np.ones_like(values)], axis=-1)[:, None]  # horizon 1
    best = [values.mean(), *np.quantile(values, [0.05, 0.5, 0.95])]
    loss = forecast.build_loss((0.05, 0.5, 0.95), "absolute", log)

    def cost(outputs):
        predicted = np.broadcast_to(np.float32(outputs), (len(values), 1, 4))
        return float(np.mean(loss(keras.ops.array(actual), keras.ops.array(predicted))))

    for output in range(4):
        for factor in (0.93, 1.07):
            changed = list(best)
            changed[output] *= factor
            assert cost(changed) > cost(best)
    actual[..., 1] = 0  # missing
    assert cost([5, 5, 5, 5]) == 0


def test_help_makes_no_folder(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["--help"]) == 0
    assert "--series-column" in capsys.readouterr().out and not list(Path().iterdir())
