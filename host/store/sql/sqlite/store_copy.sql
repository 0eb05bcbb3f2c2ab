VACUUM INTO :target;
