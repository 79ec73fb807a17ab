-- With every tenant at hand, what uses another's is found from the other's side.
SELECT NULL::oid AS classid, NULL::oid AS objid, NULL::oid AS refclassid, NULL::oid AS refobjid WHERE false
