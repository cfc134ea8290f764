"""How large a region is: from covariance to the radius that people are told. Covariances are the solver's."""

import numpy as np
from numpy.typing import NDArray

CHI_SQUARE_95_2D = 5.991  # on the hull two coordinates are free


def radius95_m(covariance_m2: NDArray[np.float64], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Radii (...) of the circles in the tangent planes that hold the 95 % ellipses.

    Args:
        covariance_m2: of places (..., 3, 3).
        normal: of the hull there (..., 3), unit length.
    """
    across = np.eye(3) - normal[..., :, None] * normal[..., None, :]
    largest = np.linalg.eigvalsh(across @ covariance_m2 @ across)[..., -1]
    return np.asarray(np.sqrt(CHI_SQUARE_95_2D * np.maximum(largest, 0.0)))
