SELECT pg_notify('tollgate ' || current_schema(), '');
