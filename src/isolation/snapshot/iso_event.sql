-- Event triggers.
SELECT e.oid FROM pg_event_trigger e
