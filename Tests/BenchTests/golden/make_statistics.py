"""Writes statistics.json: what rliable 1.2.0, scipy and numpy make of fixed scores.

pip install rliable==1.2.0 "pandas<3" scipy numpy; python make_statistics.py
"""
import json
import pathlib

import numpy as np
from rliable import library, metrics
from scipy import optimize, stats

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



def detectable(deviation, count):
    """The difference that a two-sided z test of level 5 % finds in four cases of five."""
    error = deviation * np.sqrt(2 / count)
    critical = stats.norm.ppf(0.975)
    power = lambda d: stats.norm.sf(critical - d / error) + stats.norm.cdf(-critical - d / error)
    return float(optimize.brentq(lambda d: power(d) - 0.8, 0, 100 * error, xtol=1e-14))


ranks = [stats.mannwhitneyu(a, b).statistic / (len(a) * len(b)) for a, b in zip(one.T, other.T)]
paired = stats.ttest_rel(normal[:20], normal[20:]).confidence_interval(0.95)

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
    "improvement_by_mann_whitney": float(np.mean(ranks)),
    "detectable": [
        {"deviation": deviation, "count": count, "difference": detectable(deviation, count)}
        for deviation, count in [(1.0, 3), (0.25, 10), (2.28, 10_000)]
    ],
    "margins": [
        {"degrees": degrees, "margin": float(stats.t.ppf(0.975, degrees))}
        for degrees in [1, 2, 3, 7, 30, 99, 100, 101, 1000]
    ],
    "paired_bounds": [float(paired.low), float(paired.high)],
}
path = pathlib.Path(__file__).with_name("statistics.json")
path.write_text(json.dumps(golden, indent=1) + "\n")
