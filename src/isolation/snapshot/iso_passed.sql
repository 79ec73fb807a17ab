-- Rights that somebody passed on who had them with the grant option, by object, column, grantee and privilege. Neither the
-- owner nor a superuser revokes them from the grantee: that takes back what the owner gave. What takes them back is to revoke,
-- with all that hangs on it, the grant option that the owner gave to the first of those who passed them on. Who has it on
-- the whole table and passes a column on hangs on nothing in the column's list of rights: there he is given it to lose it.
WITH RECURSIVE passed AS (
    SELECT a.classid, a.objid, a.kind, a.name, coalesce(a.column_name, '') AS column_name, a.grantee, a.privilege_type,
           a.grantor, a.owner
      FROM iso_acl a
     WHERE a.grantor <> a.owner
    UNION
    SELECT f.classid, f.objid, f.kind, f.name, coalesce(f.column_name, ''), f.grantee, f.privilege_type, f.grantor, f.owner
      FROM iso_far f
     WHERE f.grantor <> f.owner
), lender AS (
    SELECT t.classid, t.objid, t.column_name, x.grantee, x.privilege_type, x.grantor, x.grantor = t.owner AS is_first
      FROM (SELECT DISTINCT p.classid, p.objid, p.column_name, p.owner FROM passed p) t
     CROSS JOIN LATERAL aclexplode(
         CASE WHEN t.column_name <> ''
              THEN (SELECT a.attacl FROM pg_attribute a WHERE a.attrelid = t.objid AND a.attname = t.column_name)
              ELSE coalesce((SELECT c.relacl FROM pg_class c WHERE t.classid = 'pg_class'::regclass AND c.oid = t.objid),
                            (SELECT n.nspacl FROM pg_namespace n WHERE t.classid = 'pg_namespace'::regclass AND n.oid = t.objid),
                            (SELECT f.proacl FROM pg_proc f WHERE t.classid = 'pg_proc'::regclass AND f.oid = t.objid),
                            (SELECT y.typacl FROM pg_type y WHERE t.classid = 'pg_type'::regclass AND y.oid = t.objid)) END) x
     WHERE x.is_grantable
), way AS (
    SELECT p.*, p.grantor AS via FROM passed p
    UNION
    SELECT w.classid, w.objid, w.kind, w.name, w.column_name, w.grantee, w.privilege_type, w.grantor, w.owner, l.grantor
      FROM way w
      JOIN lender l USING (classid, objid, column_name, privilege_type)
     WHERE l.grantee = w.via AND NOT l.is_first
), first AS (
    SELECT w.*, pg_get_userbyid(w.via) AS via_name, coalesce(l.is_first, false) AS is_listed,
           CASE w.kind WHEN 'schema' THEN 'SCHEMA' WHEN 'sequence' THEN 'SEQUENCE' WHEN 'function' THEN 'FUNCTION'
                       WHEN 'aggregate' THEN 'FUNCTION' WHEN 'procedure' THEN 'PROCEDURE' WHEN 'type' THEN 'TYPE'
                       ELSE 'TABLE' END AS noun,
           ' (' || quote_ident(nullif(w.column_name, '')) || ')' AS of_column
      FROM way w
      LEFT JOIN lender l ON (l.classid, l.objid, l.column_name, l.privilege_type, l.grantee)
                          = (w.classid, w.objid, w.column_name, w.privilege_type, w.via)
     WHERE l.is_first OR l.grantee IS NULL
)
SELECT f.classid, f.objid, nullif(f.column_name, '') AS column_name, f.grantee, f.privilege_type,
       string_agg(DISTINCT pg_get_userbyid(f.grantor)::text, ', ') AS grantors,
       string_agg(DISTINCT CASE
           WHEN f.is_listed THEN format('REVOKE GRANT OPTION FOR ALL%s ON %s %s FROM %I CASCADE', f.of_column, f.noun, f.name, f.via_name)
           ELSE format('GRANT %1$s%2$s ON TABLE %3$s TO %4$I WITH GRANT OPTION; REVOKE %1$s%2$s ON TABLE %3$s FROM %4$I CASCADE',
                       f.privilege_type, f.of_column, f.name, f.via_name) END, '; ') AS mend
  FROM first f
 GROUP BY f.classid, f.objid, f.column_name, f.grantee, f.privilege_type
