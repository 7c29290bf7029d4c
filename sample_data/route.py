"""Made-up loops on the Lüneburg Heath: where the runner is and how high, by distance along the way."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

START_LAT_DEG = 53.17  # a car park on the heath, nobody's home
START_LON_DEG = 9.94
START_ALTITUDE_M = 92.0
USUAL_LOOP_M = 3300
TABLE_POINTS = 4096

# Each loop is a circle with dents: (waves around, depth, phase).
SHAPES = (
    ((2, 0.22, 0.3), (3, 0.10, 1.1), (5, 0.03, 2.0)),
    ((2, 0.15, 1.9), (3, 0.14, 0.2), (7, 0.02, 0.7)),
    ((2, 0.28, 2.6), (4, 0.06, 1.5), (5, 0.04, 0.4)),
)
# Height along a loop: (waves around, steepest grade of that wave). Together below 2 %, so that no metre counts as downhill.
HILLS = ((1, 0.0095, 0.0), (3, 0.0055, 0.9))


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """A closed way of a given length, starting and ending at the car park."""

    length_m: float
    at_m: NDArray[np.float64]
    east_m: NDArray[np.float64]
    north_m: NDArray[np.float64]

    def position_m(self, distance_m: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return metres east and north of the start."""
        along_m = distance_m % self.length_m
        return np.interp(along_m, self.at_m, self.east_m), np.interp(along_m, self.at_m, self.north_m)

    def altitude_m(self, distance_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return metres above the sea."""
        altitude_m = np.full(distance_m.shape, START_ALTITUDE_M)
        for waves, steepest, phase in HILLS:
            turn = 2 * math.pi * waves / self.length_m
            altitude_m += steepest / turn * (np.sin(turn * distance_m + phase) - math.sin(phase))
        return altitude_m

    def grade(self, distance_m: float) -> float:
        """Return rise over run, the slope of `altitude_m`."""
        return sum(
            steepest * math.cos(2 * math.pi * waves / self.length_m * distance_m + phase)
            for waves, steepest, phase in HILLS
        )


def find_loop(distance_m: float, variant: int) -> Loop:
    """Return a loop that is run a whole number of times in this distance."""
    rounds = max(1, round(distance_m / USUAL_LOOP_M))
    return _scaled(SHAPES[variant % len(SHAPES)], distance_m / rounds)


def _scaled(shape: tuple[tuple[int, float, float], ...], length_m: float) -> Loop:
    angle = np.linspace(0, 2 * math.pi, TABLE_POINTS + 1)
    radius = 1 + sum(depth * np.cos(waves * angle + phase) for waves, depth, phase in shape)
    east, north = radius * np.cos(angle), radius * np.sin(angle)
    at = np.concatenate(([0.0], np.cumsum(np.hypot(np.diff(east), np.diff(north)))))
    scale = length_m / at[-1]
    return Loop(
        length_m=length_m,
        at_m=at * scale,
        east_m=(east - east[0]) * scale,
        north_m=(north - north[0]) * scale,
    )
