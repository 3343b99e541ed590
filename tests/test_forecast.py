"""forecast.py end to end, at a tiny size: what it writes, what it refuses, what it promises."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import forecast
from utils import cli
from utils.series import shops

import keras
import numpy as np
import pandas as pd
import pytest

TRAIN = ["--train", "--epochs", "1"]
FILES = {"forecast.csv", "backtest.csv", "series.csv", "scores.json", "figure.png"}
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
    return folder, forecast.main(words(*flags(shop_csv), *TRAIN, "--output-dir", folder))


def test_scores(trained):
    folder, scores = trained
    assert files(folder) == FILES | {"model.keras"}
    assert json.loads((folder / "scores.json").read_text(encoding="utf-8")) == scores
    assert (scores["series"], scores["horizon"], scores["input_steps"]) == (5, 7, 207)
    assert (scores["network"], scores["written"], scores["season"]) == ("trained", "blend", 7)
    baselines = {"persistence", "seasonal_naive", "linear", "boosting", "at once"}
    names = baselines | {"trained", "blend"}
    for part in ("test", "val"):
        assert names <= set(scores[part]) <= names | {"zero", "mean"}
    assert scores["best_baseline"] in baselines


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
    days = dict.fromkeys(["a", "b", "fee", "unused"], 199)  # one was closed
    assert by_series["values"].to_dict() == days | {"young": 3}
    table = pd.read_csv(folder / "backtest.csv")
    error = (table["actual"] - table[scores["written"]]).abs()
    assert error.mean() == pytest.approx(scores["test"][scores["written"]]["mae"], rel=1e-6)


def test_series_that_stand_still_and_young_ones(trained):
    coming = pd.read_csv(trained[0] / "forecast.csv", index_col="series").drop(columns="time")
    np.testing.assert_allclose(coming.loc["fee"], 5000.37, rtol=1e-6)
    np.testing.assert_allclose(coming.loc["unused"], 0, atol=1e-12)
    week = 40 + 10 * WEEK[200:]  # of the young one, which a level of three days doesn't tell
    held = coming.loc["young", "lower"].lt(week) & coming.loc["young", "upper"].gt(week)
    assert held.sum() >= 4
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
        for old in ("scores.json", "series.csv"):
            (out / old).write_text("of another run")
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
        (
            "--quantiles",
            "0.1,0.5,0.9",
        ): "--quantiles: the model that --load names is trained already",
        (
            "--known",
            "weekday,promotion",
            "--load",
            "none.keras",
        ): "none.keras: no such file; a run with --train",
    }.items():
        assert run([*argv, "--output-dir", tmp_path / "out", *more]) == 2
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1
    assert not files(tmp_path)


# ------------------------------------------------------------------ one series


def single(folder, values, *more):
    """Run on one daily series and return forecast.csv, backtest.csv, the scores."""
    pd.DataFrame({"y": values}, DAYS[: len(values)].rename("time")).to_csv(folder / "y.csv")
    argv = ["--csv", folder / "y.csv", "--column", "y", "--horizon", 7]
    scores = forecast.main(words(*argv, "--output-dir", folder, *more))
    return *(pd.read_csv(folder / f"{name}.csv") for name in ("forecast", "backtest")), scores


@pytest.mark.parametrize(("level", "unit"), [(2e9, 60), (3e21, 1e19), (5e-9, 1e-9)])
def test_any_level_and_any_unit(level, unit, tmp_path):
    """The forecast follows the swing as exactly as it would follow that of a hundred."""
    values = level + unit * (WEEK[:200] + RNG.normal(0, 0.1, 200))
    more = [*TRAIN, "--refit", "--quantiles", "0.1,0.5,0.95"] if level == 2e9 else []
    coming, _, scores = single(tmp_path, values, *more)
    assert np.abs(coming["forecast"] - level - unit * WEEK[200:]).mean() < 0.2 * unit
    for name in ("linear", "at once", "blend"):
        assert scores["test"][name]["mae"] < 0.2 * unit
    changes = np.diff(coming["forecast"] - level) / unit
    assert len(set(changes.round(6))) == 6  # no two are alike
    if more:
        assert list(coming) == ["time", "forecast", "q0.1", "q0.5", "q0.95"]
        assert set(scores["coverage"]) == {"0.9", "0.8"}
        again = tmp_path / "again"
        load = ["--load", tmp_path / "model.keras", "--csv", tmp_path / "y.csv"]
        forecast.main(words(*load, "--output-dir", again))
        assert (again / "forecast.csv").read_text() == (tmp_path / "forecast.csv").read_text()


def test_below_zero_for_the_first_time_is_forecast_there(tmp_path):
    coming, *_ = single(tmp_path, np.linspace(30, -8, 200) + RNG.normal(0, 0.3, 200))
    assert (coming["lower"] < coming["forecast"]).all() and (coming["forecast"] < 0).all()


def test_simulated_shops_have_any_horizon():
    args = forecast.parse_args(["--horizon", "14"])
    *series, law = forecast.read(args, [])
    panel, _ = forecast.lay_out(*series, args)
    assert np.isfinite(shops.Optimal(law)(panel, panel.origins("test")[::500])).all()


def test_newer_data_with_fewer_zeros_go_on_with_the_same_parts(tmp_path, monkeypatch):
    def voted(*args, of=forecast.blended):
        return of(*args)._replace(weights={"mean": 1.0})

    monkeypatch.setattr(forecast, "blended", voted)
    values = RNG.integers(0, 2, 200) * RNG.integers(1, 9, 200)
    single(tmp_path, values, *TRAIN)
    pd.DataFrame({"y": 1 + values}, DAYS[:200].rename("time")).to_csv(tmp_path / "y.csv")
    load = ["--load", tmp_path / "model.keras", "--csv", tmp_path / "y.csv"]
    forecast.main(words(*load, "--output-dir", tmp_path / "newer"))
    assert (tmp_path / "newer" / "forecast.csv").exists()


@pytest.mark.parametrize("lacking", [0, 43])  # all of the validation part, and more
def test_too_few_to_hold_back_are_forecast_and_not_scored(lacking, tmp_path, capsys):
    values = np.arange(200.0 if lacking else 8.0)
    values[134 : 134 + lacking] = np.nan
    pd.DataFrame({"y": values}, DAYS[: len(values)].rename("time")).to_csv(tmp_path / "y.csv")
    argv = ["--csv", tmp_path / "y.csv", "--column", "y", "--horizon", 3, "--output-dir", tmp_path]
    assert forecast.main(words(*argv, "--train")) is None
    assert "nothing could be learned or scored" in capsys.readouterr().out
    assert files(tmp_path) == {"y.csv", "forecast.csv", "figure.png"}
    coming = pd.read_csv(tmp_path / "forecast.csv")
    assert (coming["lower"] < coming["forecast"]).all()
    assert coming["forecast"].between(values[-1] - 2, values[-1] + 5).all()


def test_without_training_tensorflow_is_not_imported(tmp_path):
    """So the answer is there in a second or two."""
    script = (
        f"import sys, forecast; forecast.main(['--output-dir', {str(tmp_path)!r}]); "
        "print(type(sys.modules['tensorflow']).__name__)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        cwd=Path(forecast.__file__).parent,
    )  # fmt: skip
    assert result.stdout.endswith("_Later\n")


def test_a_network_that_cannot_be_read_is_one_line(tmp_path, monkeypatch, capsys):
    whole = forecast.MODEL.read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    for name, said in (("none.npz", "is missing"), ("cut.npz", "is cut off")):
        monkeypatch.setattr(forecast, "MODEL", tmp_path / name)
        assert run(["--output-dir", tmp_path / "out"]) == 2
        error = capsys.readouterr().err
        assert said in error and "python pretrain.py" in error and error.count("\n") == 1
    assert files(tmp_path) == {"cut.npz"}


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
        _, table, scores = single(folder, some, *TRAIN)
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
    monkeypatch.setattr(shops, "simulated", lambda seed, ahead: simulated(seed, 3, 300))
    assert run(["--train", "--refit", "--output-dir", tmp_path]) == 130
    assert files(tmp_path) == FILES | {"model.keras"}
    scores = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert "optimal" in scores["test"] and scores["data"] == "simulated"
    assert capsys.readouterr().err == "forecast.py: interrupted\n"


def test_bad_input_is_one_line_and_leaves_nothing(shop_csv, tmp_path, capsys):
    out = tmp_path / "out"
    good = [*flags(shop_csv), "--output-dir", out]
    table = pd.read_csv(shop_csv)
    pd.concat([table] * 2).to_csv(tmp_path / "twice.csv", index=False)
    table[:7].to_csv(tmp_path / "short.csv", index=False)
    cases = {
        ("--horizon", "0"): "'0' is not a whole number",
        ("--horizon", "14"): "--known 'promotion' ends 7 steps after",
        ("--series-column", "store"): "store",
        ("--known", "weather"): "weather",
        ("--csv", tmp_path / "twice.csv"): "twice",
        ("--csv", tmp_path / "short.csv"): "has 7 values, 8 are needed",
        ("--refit", "--epochs", "3"): "--epochs, --refit: only with --train",
        ("--csv", tmp_path / "none.csv"): "none.csv",
        ("--quantiles", "0.1,0.9"): "must ascend and hold 0.5",
        ("--quantiles", "0.5"): "must ascend and hold 0.5 and others",
    }
    for more, said in cases.items():
        assert run([*good, *more]) == 2, more
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1, (more, error)
        assert not out.exists()
    for argv in (["--column", "sales"], ["--load", tmp_path / "m.keras"], ["--csv", shop_csv]):
        assert run([*argv, "--output-dir", out]) == 2
