-- Stops applied together: one event of the log may hold the answers of a store for many of them.
-- Owner: kiban-register.

-- Place of the store's acknowledgement in the log; none: it was written before this column was, the log is asked.
ALTER TABLE register_stop_store ADD COLUMN event_no BIGINT;
