import parallel

import numpy as np


def test_the_loop_and_the_scan_are_one_network():
    x = np.random.default_rng(0).normal(size=(3, 9, parallel.FEATURES)).astype("float32")
    loop, scan = (parallel.NETWORKS[f"mingru, {way}"][0](4) for way in ("loop", "scan"))
    loop.build(x.shape)
    scan.build(x.shape)
    weights = [np.random.default_rng(1).normal(size=weight.shape) for weight in scan.weights]
    scan.set_weights(weights)
    loop.set_weights(weights)
    np.testing.assert_allclose(loop(x), scan(x), rtol=1e-5, atol=1e-6)


def test_a_row_for_each_network_and_a_picture(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(parallel, "PATIENCE", 0.0)
    times = parallel.main(["--lengths", "5", "3", "--output-dir", str(tmp_path)])
    assert list(times.columns) == [3, 5]
    assert len(times) == 8 and (times > 0).all(axis=None)
    assert (tmp_path / "figure.png").stat().st_size > 10_000
    assert "2 sequences of 5 steps, 8 units: the scan takes" in capsys.readouterr().out


def test_what_takes_too_long_is_left_out(monkeypatch):
    monkeypatch.setattr(parallel, "milliseconds", lambda step, batch, length: 10.0 * length)
    times = parallel.measure([10, 100, 1000])
    assert times.loc[("small", "gru")].isna().tolist() == [False, False, True]
