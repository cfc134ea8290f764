"""Pictures of a scenario: pressures, spectra, impulse responses, the hull."""
