"""Writes statistics.json: what rliable 1.2.0, scipy and numpy make of fixed scores.

pip install rliable==1.2.0 "pandas<3" scipy numpy; python make_statistics.py
"""
import json
import pathlib

import numpy as np
from rliable import library, metrics
from scipy import stats

generator = np.random.Generator(np.random.PCG64(7))
TASKS, RUNS, OTHER_RUNS = 3, 11, 6

# Sixteenths, so that every language reads the same numbers; some of them tie.
one = np.round(16 * (0.6 + 0.2 * generator.standard_normal((RUNS, TASKS)))) / 16
other = np.round(16 * (0.5 + 0.2 * generator.standard_normal((OTHER_RUNS, TASKS)))) / 16

point, bounds = library.get_interval_estimates(
    {"one": one}, lambda scores: np.array([metrics.aggregate_iqm(scores), metrics.aggregate_mean(scores)]),
    reps=20_000, random_state=np.random.RandomState(3))
_, improvement = library.get_interval_estimates(
    {"pair": (one, other)}, lambda a, b: np.array([metrics.probability_of_improvement(a, b)]),
    reps=5_000, random_state=np.random.RandomState(3))
assert np.isclose(point["one"][0], stats.trim_mean(one, 0.25, axis=None))

steps = np.array([0, 100, 250, 600, 1000])
curve = np.array([0.125, 0.5, 0.4375, 0.875, 1.0])
normal = generator.standard_normal(40)

golden = {
    "one": one.T.tolist(),
    "other": other.T.tolist(),
    "interquartile_mean": float(point["one"][0]),
    "mean": float(point["one"][1]),
    "interquartile_mean_bounds": bounds["one"][:, 0].tolist(),
    "mean_bounds": bounds["one"][:, 1].tolist(),
    "probability_of_improvement": float(metrics.probability_of_improvement(one, other)),
    "probability_of_improvement_bounds": improvement["pair"][:, 0].tolist(),
    "curve_steps": steps.tolist(),
    "curve_scores": curve.tolist(),
    "curve_mean_height": float(np.trapezoid(curve, steps) / (steps[-1] - steps[0])),
    "curve_at": float(np.interp(400, steps, curve)),
    "values": normal.tolist(),
    "quantiles": np.quantile(normal, [0.025, 0.5, 0.975]).tolist(),
}
path = pathlib.Path(__file__).with_name("statistics.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
