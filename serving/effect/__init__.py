"""The report for those who are accountable: what a year of scores and checks achieved."""
