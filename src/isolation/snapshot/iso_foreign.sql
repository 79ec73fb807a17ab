-- Whatever leads to other servers hangs on a wrapper.
SELECT w.oid FROM pg_foreign_data_wrapper w
