//! The loops: pull, rank, claim, drive, deliver, sweep.
