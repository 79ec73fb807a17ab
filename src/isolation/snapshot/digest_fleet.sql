-- One text that changes whenever something changes that was read, in whatever order it was read.
SELECT encode(sha256(convert_to(concat_ws(',',
           (SELECT concat(count(*), ':', sum(hashtextextended(x::text, 0))) FROM iso_target x),
           (SELECT concat(count(*), ':', sum(hashtextextended(x::text, 0))) FROM iso_object x),
           (SELECT concat(count(*), ':', sum(hashtextextended(x::text, 0))) FROM iso_acl x),
           (SELECT concat(count(*), ':', sum(hashtextextended(x::text, 0))) FROM iso_reach x),
           (SELECT concat(count(*), ':', sum(hashtextextended(x::text, 0))) FROM iso_outside x),
           (SELECT concat(count(*), ':', sum(hashtextextended(x::text, 0))) FROM iso_reference x)), 'UTF8')), 'hex'),
       (SELECT count(DISTINCT t.tenant_id) FROM iso_target t)
