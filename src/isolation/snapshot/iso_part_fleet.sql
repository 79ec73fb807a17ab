-- Only the edges of one tenant need it.
SELECT NULL::oid AS nspoid, NULL::oid AS classid, NULL::oid AS objid WHERE false
