-- Who resumes a rollout that stopped was told what had failed: that does not count against what its wave allows any more. A
-- run that was killed told nobody.
ALTER TABLE tenantry.rollout_places ADD is_told boolean NOT NULL DEFAULT false;
