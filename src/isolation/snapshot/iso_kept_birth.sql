-- A tenant is not refused for what is there for all; what its own things use there, iso_edge finds from their side.
SELECT NULL::oid AS nspoid, NULL::oid AS classid, NULL::oid AS objid
 WHERE false
