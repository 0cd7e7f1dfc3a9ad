"""
How many posts were to be expected: quasi-Poisson regression, or EARS C2 when history is short.

Noufaily et al. 2013 (Farrington flexible: trend, weekday, down-weighted past outbreaks, negative
binomial bound) and Hutwagner et al. 2003 (EARS C2), on daily counts summed over the days watched.
"""

import math
import warnings
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import statsmodels.api as sm
from scipy import stats
from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationWarning

Floats = npt.NDArray[np.float64]

LEVEL = 0.995  # the bound is this quantile of what was expected
SHORT = 56  # days; with less history EARS C2 speaks
LONG = 730  # days of history that are read
GUARD = 14  # days before those watched that are left out: a spike may have begun already
C2_BASE, C2_LAG = 28, 2  # days of the baseline of EARS C2, and days left between
RUNAWAY = 2.0  # a trend that leads this many times above all that was ever seen is dropped
OUTLIER = 2.58  # a past day beyond this many deviations weighs less


@dataclass(frozen=True, slots=True)
class Forecast:
    """Posts expected over the days watched, their bound, and the chance of as many or more."""

    expected: float
    bound: float
    p_value: float
    method: str


@dataclass(frozen=True, slots=True)
class Series:
    """
    Counts a day from *first* on, and the share of sources covered each day (0: not collected).
    """

    first: date
    counts: Floats
    covered: Floats

    def cut(self, start: date, end: date) -> "Series":
        """The days from *start* to *end*, both included, as far as they are there."""
        low = max(0, (start - self.first).days)
        high = max(low, (end - self.first).days + 1)
        return Series(
            self.first + timedelta(days=low), self.counts[low:high], self.covered[low:high]
        )


def forecast(series: Series, start: date, end: date, *, factor: float = 1.0) -> Forecast | None:
    """
    What *series* lets expect from *start* to *end*; None where less than two covered weeks are
    known.

    *factor* multiplies the expectation: how much the collector's whole volume grew at the same
    time.
    """
    watched = series.cut(start, end)
    observed = float(watched.counts.sum())
    known = series.cut(start - timedelta(days=LONG), start - timedelta(days=1))
    days = int((known.covered > 0).sum())
    if days < C2_LAG + 14:
        return None
    if days < SHORT:
        return _ears(known, watched, observed, factor)
    return _quasi_poisson(series, start, watched, observed, factor)


def _ears(known: Series, watched: Series, observed: float, factor: float) -> Forecast:
    """
    EARS C2: mean and deviation of the last four weeks, two days left out, brought to the days
    watched.
    """
    usable = known.counts[known.covered > 0][:-C2_LAG][-C2_BASE:]
    exposure = float(watched.covered.sum()) * factor
    mean = float(usable.mean()) * exposure
    variance = max(float(usable.var(ddof=1)) * exposure, mean, 0.5)
    return Forecast(mean, *_tail(mean, variance, observed), "ears_c2")


def _quasi_poisson(
    series: Series, start: date, watched: Series, observed: float, factor: float
) -> Forecast:
    """The regression with its trend, or without where it runs away (after Farrington, 1996)."""
    past = series.cut(start - timedelta(days=LONG), start - timedelta(days=1 + GUARD))
    if past.counts[past.covered > 0].sum() < 1:
        return Forecast(0.0, *_tail(0.05, 0.05, observed), "quasi_poisson")
    if len(past.counts) > 2 * SHORT:
        trended = _outlook(past, watched, observed, factor, trend=True)
        most = RUNAWAY * factor * _largest(past.counts, len(watched.counts))
        if trended.expected <= most:
            return trended
    return _outlook(past, watched, observed, factor, trend=False)


def _largest(counts: Floats, days: int) -> float:
    """The most posts that as many days in a row ever had."""
    return float(np.convolve(counts, np.ones(days)).max())


def _outlook(
    past: Series, watched: Series, observed: float, factor: float, *, trend: bool
) -> Forecast:
    kept = past.covered > 0
    position = np.arange(len(past.counts), dtype=np.float64)
    design = _design(past.first, position, len(past.counts), trend=trend)[kept]
    fitted, dispersion = _fit(past.counts[kept], design, np.log(past.covered[kept]))
    ahead = (watched.first - past.first).days + np.arange(len(watched.counts), dtype=np.float64)
    future = _design(past.first, ahead, len(past.counts), trend=trend)
    covered = np.maximum(watched.covered, 0.0)
    rate = np.exp(np.clip(future @ fitted.params, -20, 20)) * covered * factor
    mean = float(rate.sum())
    # what the regression itself does not know: delta method on the sum
    gradient = rate @ future
    unsure = float(gradient @ fitted.cov_params() @ gradient)
    variance = max(dispersion * mean + unsure, mean)
    return Forecast(mean, *_tail(mean, variance, observed), "quasi_poisson")


def _fit(y: Floats, design: Floats, offset: Floats) -> tuple["sm.GLMResults", float]:
    """The regression, twice: the second time, days far above what was expected weigh less."""
    weights = np.ones(len(y))
    for last in (False, True):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            # a series without any variation is fitted exactly; the dispersion has its floor
            warnings.simplefilter("ignore", PerfectSeparationWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            fitted = sm.GLM(
                y, design, family=sm.families.Poisson(), offset=offset, var_weights=weights
            ).fit(maxiter=50)
        mean = np.maximum(np.asarray(fitted.mu), 1e-6)
        freedom = max(len(y) - design.shape[1], 1)
        dispersion = max(1.0, float((weights * (y - mean) ** 2 / mean).sum() / freedom))
        if not last:
            residual = 1.5 * (y ** (2 / 3) - mean ** (2 / 3)) / (mean ** (1 / 6) * dispersion**0.5)
            weights = np.where(residual > OUTLIER, np.maximum(residual, 1e-6) ** -2.0, 1.0)
            weights *= len(y) / weights.sum()
    return fitted, dispersion


def _design(first: date, position: Floats, length: int, *, trend: bool) -> Floats:
    """Intercept, weekend and linear *trend* (per year, centred): columns of the regression."""
    weekday = (first.weekday() + position.astype(int)) % 7
    columns = [np.ones_like(position), (weekday == 5).astype(float), (weekday == 6).astype(float)]
    if trend:
        columns.append((position - length / 2) / 365.25)
    return np.column_stack(columns)


def _tail(mean: float, variance: float, observed: float) -> tuple[float, float]:
    """(bound, chance of *observed* or more) of a negative binomial with this mean and variance."""
    mean = max(mean, 1e-3)
    if variance <= mean * (1 + 1e-9):
        model = stats.poisson(mean)
    else:
        size = mean**2 / (variance - mean)
        model = stats.nbinom(size, size / (size + mean))
    p_value = float(model.sf(observed - 1)) if observed > 0 else 1.0
    bound = float(model.ppf(LEVEL))
    return (bound if math.isfinite(bound) else mean), p_value
