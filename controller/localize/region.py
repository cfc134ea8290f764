"""How large a region is: from covariance to the radius that people are told. Covariances are the solver's."""

import numpy as np
from numpy.typing import NDArray

# In units of the longer axis, the radius that holds 95 % of a plane's normal density, by the shorter axis over the
# longer: 1.96 on a line, sqrt(5.991) in a circle. Between, the polar integral of the density.
RATIOS = np.linspace(0.0, 1.0, 11)
QUANTILE_95 = np.array([1.9600, 1.9626, 1.9704, 1.9842, 2.0052, 2.0359, 2.0813, 2.1460, 2.2303, 2.3318, 2.4477])


def radius95_m(covariance_m2: NDArray[np.float64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Radii (...) of the circles in the tangent planes that hold 95 % of the probability.

    Args:
        covariance_m2: of places (..., 3, 3).
        normal: of the hull there (..., 3), unit length.
    """
    across = np.eye(3) - normal[..., :, None] * normal[..., None, :]
    variance = np.maximum(np.linalg.eigvalsh(across @ covariance_m2 @ across), 0.0)
    longer, shorter = np.sqrt(variance[..., -1]), np.sqrt(variance[..., -2])
    ratio = np.divide(shorter, longer, out=np.zeros_like(longer), where=longer > 0.0)
    return np.asarray(np.interp(ratio, RATIOS, QUANTILE_95) * longer)
