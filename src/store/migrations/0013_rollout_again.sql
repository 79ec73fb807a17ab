-- Who resumes a rollout that stopped was told what had failed: that does not count against what its wave allows any more. A
-- run that was killed told nobody.
ALTER TABLE tenantry.rollout_places ADD is_told boolean NOT NULL DEFAULT false;

-- What a later transaction wrote is new since the rollout began (src/rollout/wave_digest.sql).
ALTER TABLE tenantry.rollouts ADD began xid8 NOT NULL DEFAULT pg_current_xact_id();
