"""Today's inspections beside scores and lanes at equal effort, over a year of invented worlds."""
