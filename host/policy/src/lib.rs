//! Project and pipeline files, formulas, eligibility and rank keys.
