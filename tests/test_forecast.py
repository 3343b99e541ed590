"""forecast.py end to end, at a tiny size: what it writes, what it refuses."""

import json
from pathlib import Path

import forecast
from utils import cli, many
from utils.series import backtest, synthetic

import keras
import numpy as np
import pandas as pd
import pytest

TINY = ["--units", "4", "--epochs", "1", "--input-steps", "14"]
FILES = {"model.keras", "forecast.csv", "backtest.csv", "series.csv", "scores.json", "figure.png"}
KEYS = {"script", "data", "series", "horizon", "input_steps", "seed", "layer", "test", "val"}
KEYS |= {"coverage", "width", "interval_score", "best_baseline", "best_baseline_of_val"}
KEYS |= {"p_value", "seconds"}


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    """Three shops of 200 days and one of 9, with promotions known for 7 days more."""
    frames = synthetic.shops_with_closed_days(0, number=4, days=200, ahead=7)
    frames["shop 4"] = frames.pop("shop 04").iloc[-16:]
    frames["shop 01"].iloc[60:65, 0] = np.nan
    path = tmp_path_factory.mktemp("shops") / "sales.csv"
    pd.concat(frames, names=["shop"]).to_csv(path)
    return path


def flags(csv):
    known = ["--series-column", "shop", "--known", "promotion,holiday"]
    return ["--csv", str(csv), "--column", "sales", *known, "--horizon", "7"]


def run(argv):
    """Run the script as its command does; return the exit code."""
    with pytest.raises(SystemExit) as exit:
        cli.run(lambda: forecast.main([str(word) for word in argv]), "forecast.py")
    return exit.value.code


@pytest.fixture(scope="module")
def trained(shops, tmp_path_factory):
    """What a run on the shops leaves: its folder and its scores."""
    folder = tmp_path_factory.mktemp("trained")
    scores = forecast.main([*flags(shops), *TINY, "--output-dir", str(folder)])
    return folder, scores


def test_scores(trained):
    folder, scores = trained
    assert {path.name for path in folder.iterdir()} == FILES
    written = (folder / "scores.json").read_text(encoding="utf-8")
    assert json.loads(written) == json.loads(json.dumps(scores))
    assert set(scores) == KEYS
    assert (scores["series"], scores["horizon"], scores["input_steps"]) == (4, 7, 14)
    names = {"gru", "persistence", "seasonal_naive", "linear", "boosting"}
    for part in ("test", "val"):
        assert set(scores[part]) == names
        for line in scores[part].values():
            assert set(line) == {"mae", "rmse", "mase", "smape", "by_step"}
            assert len(line["by_step"]) == 7 and line["rmse"] >= line["mae"] > 0
    assert len(scores["coverage"]["0.9"]["by_step"]) == 7
    assert scores["best_baseline"] in names - {"gru"}


def test_tables(trained):
    folder, scores = trained
    coming = pd.read_csv(folder / "forecast.csv", parse_dates=["time"])
    assert list(coming) == ["series", "time", "forecast", "lower", "upper"]
    assert (coming.groupby("series").size() == 7).all() and coming["series"].nunique() == 4
    assert (coming["lower"] <= coming["forecast"]).all()
    assert (coming["forecast"] <= coming["upper"]).all() and coming["lower"].min() >= 0
    assert coming["time"].min() == pd.Timestamp("2021-01-01") + pd.Timedelta(days=200)
    by_series = pd.read_csv(folder / "series.csv", index_col="series")
    assert by_series.loc["shop 4", "values"] == 9
    table = pd.read_csv(folder / "backtest.csv", parse_dates=["origin", "time"])
    assert ((table["time"] - table["origin"]).dt.days == table["step"]).all()
    error = (table["actual"] - table["gru"]).abs()
    assert error.mean() == pytest.approx(scores["test"]["gru"]["mae"], rel=1e-6)


def test_a_loaded_model_says_the_same(trained, shops, tmp_path):
    folder, _ = trained
    (tmp_path / "scores.json").write_text("of another run")
    argv = ["--load", str(folder / "model.keras"), "--csv", str(shops), "--series-column", "shop"]
    assert forecast.main([*argv, "--output-dir", str(tmp_path)]) is None
    assert {path.name for path in tmp_path.iterdir()} == {"forecast.csv", "figure.png"}
    before, after = (pd.read_csv(f / "forecast.csv") for f in (folder, tmp_path))
    assert after["series"].tolist() == before["series"].tolist()
    # the spread of a series, which scales its interval, is that of all its rows now
    np.testing.assert_allclose(after["forecast"], before["forecast"], rtol=0.2, atol=30)


def test_a_loaded_model_refuses_what_it_has_not_learned(trained, shops, tmp_path, capsys):
    folder, _ = trained
    argv = ["--load", folder / "model.keras", "--csv", shops, "--output-dir", tmp_path]
    argv += ["--series-column", "shop"]
    for more, words in {
        ("--horizon", "3"): "--horizon 3",
        ("--column", "promotion"): "--column promotion",
        ("--known", "holiday"): "its known is ['holiday']",
    }.items():
        assert run([*argv, *more]) == 2
        assert words in capsys.readouterr().err
    table = pd.read_csv(shops)
    start = pd.Timestamp("2021-01-01")
    table["time"] = start + (pd.to_datetime(table["time"]) - start) / 24
    table.to_csv(tmp_path / "hours.csv", index=False)
    argv[3] = tmp_path / "hours.csv"
    assert run(argv) == 2
    assert "its step is h" in capsys.readouterr().err


def test_one_series_quantiles_networks_refit(tmp_path, capsys):
    series = synthetic.hourly_hits(0, 400)
    series.to_csv(tmp_path / "hits.csv")
    argv = ["--csv", tmp_path / "hits.csv", "--column", "hits", "--horizon", "5", "--refit"]
    argv += ["--quantiles", "0.1,0.5,0.9", "--networks", "2", "--units", "4", "--epochs", "1"]
    scores = forecast.main([str(word) for word in [*argv, "--output-dir", tmp_path / "out"]])
    assert set(scores["coverage"]) == {"0.8"} and scores["spread_of_networks"] >= 0
    assert {"zero", "mean"} <= set(scores["test"])  # many values are zero
    coming = pd.read_csv(tmp_path / "out" / "forecast.csv")
    assert list(coming) == ["series", "time", "forecast", "q0.1", "q0.5", "q0.9", "mean"]
    assert coming.iloc[:, 2:].min().min() >= 0
    printed = capsys.readouterr().out
    assert "2 networks" in printed and "Trains once more, on all rows" in printed


def test_ctrl_c_keeps_the_best_weights_and_writes_everything(shops, tmp_path, monkeypatch):
    class Stop(keras.callbacks.EarlyStopping):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    monkeypatch.setattr(keras.callbacks, "EarlyStopping", Stop)
    argv = [*flags(shops), *TINY, "--epochs", "9", "--output-dir", tmp_path / "out"]
    assert run(argv) == 130
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*FILES, "checkpoint_0.npz"}


def test_bad_input_is_one_line_and_leaves_nothing(shops, tmp_path, capsys):
    out = tmp_path / "out"
    good = [*flags(shops), "--output-dir", out]
    twice = pd.concat([pd.read_csv(shops)] * 2)
    twice.to_csv(tmp_path / "twice.csv", index=False)
    few = pd.read_csv(shops)
    few = few[few["time"] < "2021-07-20"]
    few.to_csv(tmp_path / "few.csv", index=False)
    pd.read_csv(shops)[:11].to_csv(tmp_path / "short.csv", index=False)
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
        ("--dataset", "m5"): "invalid choice: 'm5'",
        ("--dataset", "etth1"): "exclude each other",
        ("--load", tmp_path / "none.keras"): "none.keras",
    }
    for more, words in cases.items():
        assert run([*good, *more]) == 2, more
        error = capsys.readouterr().err
        assert words in error and error.count("\n") == 1, (more, error)
        assert not out.exists()
    assert run(["--column", "sales", "--output-dir", out]) == 2


def test_closed_form_of_the_simulated_shops_is_optimal():
    frames, law = synthetic.shops(3, number=60, days=500)
    panel = many.lay_out(frames, 7, 28, 7, ["promotion"])
    origins = many.split(panel).test
    best = many._optimal(panel, law, origins)
    others = {"optimal": best, "higher": 1.05 * best, "lower": 0.95 * best}
    rmse = {name: line["rmse"] for name, line in backtest.scores(panel, origins, others).items()}
    assert min(rmse, key=rmse.get) == "optimal"


@pytest.mark.parametrize(
    ("whole", "loss", "expected"),
    [  # medians and bounds of whole numbers are whole, but not their mean
        (True, "absolute", [[0, 0, 0, 1], [1, 1, 1, 3]]),
        (False, "absolute", [[0.4, 0.2, 0.4, 1.7], [1.4, 0.6, 1.4, 3.2]]),
        (False, "squared", [[0.5, 0.2, 0.4, 1.7], [1.6, 0.6, 1.4, 3.2]]),
    ],
)
def test_counts_are_forecast_as_counts(whole, loss, expected):
    times = pd.date_range("2024-01-01", periods=40, freq="D")
    values = np.random.default_rng(0).poisson(1.0, 40)
    panel = many.lay_out({"a": pd.DataFrame({"y": values}, times)}, 7, 2, 7)
    outputs = np.array([[[0.5, 0.2, 0.4, 1.7], [1.6, 0.6, 1.4, 3.2]]])  # means, quantiles
    run = many.Run(None, False, whole, {}, [])
    args = forecast.parse_args(["--loss", loss])
    point, bounds, mean = many._forecast(outputs, panel, panel.end, run, {"0.9": 0.0}, args)
    np.testing.assert_allclose(np.concatenate([point[..., None], bounds], axis=-1)[0], expected)
    np.testing.assert_allclose(mean, outputs[..., 0])


@pytest.mark.parametrize("layer", forecast.LAYERS)
@pytest.mark.parametrize(("log", "told"), [(False, True), (True, False)])
def test_an_untrained_network_is_the_linear_heads(layer, log, told):
    rng = np.random.default_rng(0)
    times = pd.date_range("2024-01-01", periods=120, freq="D")
    y = 20 + 5 * np.sin(np.arange(120) * 2 * np.pi / 7) + rng.normal(0, 1, 120)
    y[40:43] = y[111:] = np.nan  # a gap, and steps to come
    frames = {"a": pd.DataFrame({"y": y, "promotion": rng.integers(0, 2, 120) * 1.0}, times)}
    panel = many.lay_out(frames, 14, 9, 7, ["promotion"], ["weekday"], held_back=(20, 20))
    parts = many.split(panel)
    linear = backtest.Linear(panel, parts, [backtest.Scaling(log, log, told)])
    args = forecast.parse_args(["--layer", layer, "--units", "4"])
    args.segment = 7
    outputs = many.predict(forecast.build_network(panel, linear, args), panel, parts.test)
    expected = linear.predict(panel, parts.test)
    assert outputs.shape == (len(parts.test), 9, 4)
    for output in range(4):
        np.testing.assert_allclose(outputs[..., output], expected, rtol=1e-3)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_share_of_what_was_learned_is_kept(share):
    rng = np.random.default_rng(0)
    times = pd.date_range("2024-01-01", periods=90, freq="D")
    frames = {"a": pd.DataFrame({"y": rng.normal(20, 1, 90)}, times)}
    panel = many.lay_out(frames, 14, 9, 7, held_back=(20, 20))
    parts, args = many.split(panel), forecast.parse_args(["--units", "4"])
    args.segment, linear = 7, backtest.Linear(panel, many.split(panel))
    network = forecast.build_network(panel, linear, args)
    for name in ("start", "correction"):
        layer = network.get_layer(name)
        layer.set_weights([w + rng.normal(0, 0.01, w.shape) for w in layer.get_weights()])
    kernel, bias = network.get_layer("correction").get_weights()  # that quantiles don't cross
    network.get_layer("correction").set_weights([kernel, bias + np.tile([0, -1, 0, 1], 7)])
    before = many.predict(network, panel, parts.test)
    many._keep(network, linear, share, args)
    after = many.predict(network, panel, parts.test)
    expected = share * before[..., 2] + (1 - share) * linear.predict(panel, parts.test)
    np.testing.assert_allclose(after[..., 2], expected, rtol=1e-4)
    np.testing.assert_allclose(after[..., 3] - after[..., 1], before[..., 3] - before[..., 1],
                               atol=1e-4)  # fmt: skip


@pytest.mark.parametrize("log", [False, True])
def test_the_loss_is_least_at_the_mean_and_the_quantiles(log):
    values = np.random.default_rng(0).lognormal(1, 0.5, 40_000).astype("float32")
    actual = np.stack([values, np.ones_like(values)], axis=-1)[:, None]  # horizon 1
    best = [values.mean(), *np.quantile(values, [0.05, 0.5, 0.95])]
    loss = forecast.build_loss((0.05, 0.5, 0.95), "absolute", log)

    def of(outputs):
        predicted = np.broadcast_to(np.float32(outputs), (len(values), 1, 4))
        return float(np.mean(loss(keras.ops.array(actual), keras.ops.array(predicted))))

    for output in range(4):
        for factor in (0.93, 1.07):
            changed = list(best)
            changed[output] *= factor
            assert of(changed) > of(best)
    missing = actual.copy()
    missing[..., 1] = 0
    assert np.all(
        loss(keras.ops.array(missing), keras.ops.array(actual[..., :1].repeat(4, -1))) == 0
    )


def test_the_output_folder_is_not_made_by_help(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["--help"]) == 0
    assert "--series-column" in capsys.readouterr().out and not list(Path().iterdir())
