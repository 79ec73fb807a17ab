-- Categories, merchants, and the ledger: transactions are inserted, never changed. What happens to
-- one later is another row that names it as its original:
--   a pending row is settled by a row with the same contents and the status posted or failed;
--   a posted row is reversed by a posted row with the same amount and the opposite direction.
-- Each row has at most one such successor. Posted rows move balances, others do not.

CREATE DOMAIN transaction_type AS text
    CHECK (VALUE IN ('debit', 'credit', 'transfer', 'fee'));
CREATE DOMAIN transaction_status AS text CHECK (VALUE IN ('pending', 'posted', 'failed'));

CREATE TABLE categories (
    tenant_id  uuid        NOT NULL DEFAULT tenancy.current_tenant(),
    id         uuid        NOT NULL DEFAULT gen_random_uuid(),
    parent_id  uuid,
    name       short_text  NOT NULL,
    rules      json_map NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, tenant_id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES categories (tenant_id, id)
);

CREATE UNIQUE INDEX ux_categories_parent_name ON categories (parent_id, name, tenant_id)
    NULLS NOT DISTINCT;

-- Walks from the new parent to the root. The share locks make two moves that would close a circle
-- between them meet: one of them is refused, at every isolation level.
CREATE FUNCTION guard_category_tree() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    ancestor uuid := NEW.parent_id;
BEGIN
    WHILE ancestor IS NOT NULL LOOP
        IF ancestor = NEW.id THEN
            RAISE EXCEPTION 'category "%" would be below itself', NEW.name
                USING ERRCODE = 'check_violation';
        END IF;
        SELECT parent_id INTO ancestor FROM categories
        WHERE tenant_id = NEW.tenant_id AND id = ancestor FOR SHARE;
    END LOOP;
    RETURN NEW;
END
$$;

CREATE TRIGGER categories_guard_insert BEFORE INSERT ON categories
    FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION guard_category_tree();
CREATE TRIGGER categories_guard_update BEFORE UPDATE ON categories
    FOR EACH ROW WHEN (NEW.parent_id IS DISTINCT FROM OLD.parent_id OR NEW.id <> OLD.id)
    EXECUTE FUNCTION guard_category_tree();

CREATE TABLE merchants (
    tenant_id     uuid        NOT NULL DEFAULT tenancy.current_tenant(),
    id            uuid        NOT NULL DEFAULT gen_random_uuid(),
    name          short_text  NOT NULL,
    merchant_code short_text  NOT NULL,
    category      short_text,
    metadata      json_map NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, tenant_id)
);

CREATE UNIQUE INDEX ux_merchants_code ON merchants (merchant_code, tenant_id);

-- A transfer takes from the account and gives to the counterparty's, in one row.
CREATE TABLE transactions (
    tenant_id               uuid               NOT NULL DEFAULT tenancy.current_tenant(),
    id                      uuid               NOT NULL DEFAULT gen_random_uuid(),
    occurred_at             timestamptz        NOT NULL DEFAULT now(),
    account_id              uuid               NOT NULL,
    counterparty_account_id uuid,
    original_id             uuid,
    category_id             uuid,
    merchant_id             uuid,
    type                    transaction_type   NOT NULL,
    status                  transaction_status NOT NULL DEFAULT 'pending',
    amount                  unsigned_amount    NOT NULL,
    currency                currency_code      NOT NULL,
    idempotency_key         short_text,
    reference               short_text,
    description             text,
    metadata                json_map           NOT NULL DEFAULT '{}',
    created_at              timestamptz        NOT NULL DEFAULT now(),
    PRIMARY KEY (id, occurred_at, tenant_id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id),
    FOREIGN KEY (tenant_id, counterparty_account_id) REFERENCES accounts (tenant_id, id),
    FOREIGN KEY (tenant_id, category_id) REFERENCES categories (tenant_id, id),
    FOREIGN KEY (tenant_id, merchant_id) REFERENCES merchants (tenant_id, id),
    CONSTRAINT transactions_counterparty_of_transfer CHECK (
        CASE WHEN type = 'transfer'
             THEN counterparty_account_id IS NOT NULL AND counterparty_account_id <> account_id
             ELSE counterparty_account_id IS NULL END)
) PARTITION BY RANGE (occurred_at);

CREATE TABLE transactions_default PARTITION OF transactions DEFAULT;

CREATE INDEX ix_transactions_account_occurred
    ON transactions (account_id, occurred_at DESC, tenant_id);
CREATE INDEX ix_transactions_counterparty_occurred
    ON transactions (counterparty_account_id, occurred_at DESC, tenant_id)
    WHERE counterparty_account_id IS NOT NULL;
CREATE INDEX ix_transactions_tenant_occurred ON transactions (tenant_id, occurred_at DESC);
CREATE INDEX ix_transactions_category_occurred
    ON transactions (category_id, occurred_at DESC, tenant_id) WHERE category_id IS NOT NULL;
CREATE INDEX ix_transactions_merchant_occurred
    ON transactions (merchant_id, occurred_at DESC, tenant_id) WHERE merchant_id IS NOT NULL;

-- What must be unique over all months, which a unique key of a partitioned table cannot say. It
-- also tells in which month a transaction is, and is what foreign keys point at, so that old months
-- can be detached. Written by the ledger's trigger only.
CREATE TABLE transaction_keys (
    tenant_id       uuid         NOT NULL DEFAULT tenancy.current_tenant(),
    transaction_id  uuid         NOT NULL,
    occurred_at     timestamptz  NOT NULL,
    original_id     uuid,
    status          varchar(10)  NOT NULL,
    idempotency_key varchar(200),
    PRIMARY KEY (transaction_id, tenant_id),
    FOREIGN KEY (tenant_id, original_id) REFERENCES transaction_keys (tenant_id, transaction_id)
);

CREATE UNIQUE INDEX ux_transaction_keys_original ON transaction_keys (original_id, tenant_id)
    WHERE original_id IS NOT NULL;
CREATE UNIQUE INDEX ux_transaction_keys_idempotency
    ON transaction_keys (idempotency_key, tenant_id) WHERE idempotency_key IS NOT NULL;

-- For every table that only grows, besides the rights that the manifest takes away. A purge takes
-- all rows of a tenant.
CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
    IF NOT is_purge(TG_OP, TG_RELID) THEN
        RAISE EXCEPTION 'rows of % are added and never changed', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;

-- For a table that only triggers of other tables write.
CREATE FUNCTION refuse_direct_change() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
    IF NOT comes_from_trigger() AND NOT is_purge(TG_OP, TG_RELID) THEN
        RAISE EXCEPTION 'rows of % are written by triggers only', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER transactions_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON transactions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transaction_keys_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON transaction_keys
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transaction_keys_are_derived BEFORE INSERT ON transaction_keys
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_direct_change();

-- What a row must look like to reverse one of the given type: the same account, other direction.
CREATE FUNCTION opposite_type(type text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE type WHEN 'credit' THEN 'debit' WHEN 'transfer' THEN 'transfer' ELSE 'credit' END;

-- Posts all rows of a statement: their keys, then each account once, in the order of the accounts,
-- so that sessions that post to the same accounts wait for one another instead of deadlocking. When
-- something happened is the application's word, when it was recorded (and is kept from) is not.
CREATE FUNCTION post_transactions() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    wrong  uuid;
    effect record;
BEGIN
    IF EXISTS (SELECT FROM added WHERE created_at <> now()) THEN
        RAISE EXCEPTION 'a transaction is recorded as of now'
            USING ERRCODE = 'restrict_violation',
                  HINT = 'Leave created_at out; occurred_at says when it happened.';
    END IF;

    INSERT INTO transaction_keys
        (tenant_id, transaction_id, occurred_at, original_id, status, idempotency_key)
    SELECT tenant_id, id, occurred_at, original_id, status, idempotency_key
    FROM added ORDER BY idempotency_key, id;

    IF EXISTS (SELECT FROM added WHERE original_id IS NOT NULL) THEN
        SELECT a.id INTO wrong
        FROM added a
        JOIN transaction_keys k ON k.tenant_id = a.tenant_id AND k.transaction_id = a.original_id
        LEFT JOIN transactions o ON o.tenant_id = k.tenant_id AND o.id = k.transaction_id
                                AND o.occurred_at = k.occurred_at
        WHERE a.original_id IS NOT NULL AND (
            a.amount = o.amount AND a.currency = o.currency
            AND CASE
                WHEN o.status = 'pending' THEN
                    a.status IN ('posted', 'failed') AND a.type = o.type
                    AND a.account_id = o.account_id
                    AND a.counterparty_account_id IS NOT DISTINCT FROM o.counterparty_account_id
                WHEN o.status = 'posted' THEN
                    a.status = 'posted' AND a.type = opposite_type(o.type)
                    AND a.account_id = coalesce(o.counterparty_account_id, o.account_id)
                    AND (o.counterparty_account_id IS NULL
                         OR a.counterparty_account_id = o.account_id)
                    AND NOT EXISTS (SELECT FROM transaction_keys p
                                    WHERE p.tenant_id = o.tenant_id
                                      AND p.transaction_id = o.original_id
                                      AND p.status = 'posted')
                END) IS NOT TRUE
        LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'transaction % neither settles nor reverses its original', wrong
                USING ERRCODE = 'check_violation',
                      HINT = 'Use settle_transaction() or reverse_transaction().';
        END IF;
    END IF;

    FOR effect IN
        SELECT e.tenant_id, e.account_id, e.currency,
               coalesce(sum(e.change) FILTER (WHERE e.status = 'posted'), 0) AS change
        FROM (SELECT tenant_id, account_id, currency, status,
                     CASE WHEN type = 'credit' THEN amount ELSE -amount END AS change
              FROM added
              UNION ALL
              SELECT tenant_id, counterparty_account_id, currency, status, amount
              FROM added WHERE counterparty_account_id IS NOT NULL) AS e
        GROUP BY e.tenant_id, e.account_id, e.currency
        ORDER BY e.tenant_id, e.account_id, e.currency
    LOOP
        UPDATE accounts SET balance = balance + effect.change
        WHERE tenant_id = effect.tenant_id AND id = effect.account_id
          AND currency = effect.currency AND closed_at IS NULL;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'account % is closed, or not in %', effect.account_id, effect.currency
                USING ERRCODE = 'check_violation';
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE TRIGGER transactions_post AFTER INSERT ON transactions
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION post_transactions();

-- The ledger as entries with a sign, a transfer as its two: what statements, the reconciliation and
-- the facts are made from.
CREATE VIEW ledger_entries WITH (security_invoker = true) AS
SELECT tenant_id, account_id, occurred_at, id AS transaction_id, type, status,
       CASE WHEN type = 'credit' THEN amount::numeric ELSE -amount END AS amount, currency,
       category_id, merchant_id, counterparty_account_id AS other_account_id, original_id,
       description
FROM transactions
UNION ALL
SELECT tenant_id, counterparty_account_id, occurred_at, id, type, status, amount::numeric, currency,
       category_id, merchant_id, account_id, original_id, description
FROM transactions
WHERE counterparty_account_id IS NOT NULL;

-- Where a transaction stands now: its own status, or what its successor made of it.
CREATE VIEW transaction_states WITH (security_invoker = true) AS
SELECT k.tenant_id, k.transaction_id, k.occurred_at, s.transaction_id AS successor_id,
       CASE WHEN s.transaction_id IS NULL THEN k.status
            WHEN k.status = 'posted' THEN 'reversed' ELSE s.status END AS state
FROM transaction_keys k
LEFT JOIN transaction_keys s ON s.tenant_id = k.tenant_id AND s.original_id = k.transaction_id;

-- Every account with its balance and the sum of its ledger; difference is 0 in all of them.
CREATE FUNCTION reconcile_accounts()
RETURNS TABLE (account_id uuid, currency text, balance numeric, ledger numeric, difference numeric)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT a.id, a.currency, a.balance, coalesce(e.total, 0), a.balance - coalesce(e.total, 0)
    FROM accounts a
    LEFT JOIN (SELECT l.tenant_id, l.account_id, sum(l.amount) AS total
               FROM ledger_entries l WHERE l.status = 'posted'
               GROUP BY l.tenant_id, l.account_id) AS e
           ON e.tenant_id = a.tenant_id AND e.account_id = a.id
    ORDER BY a.id;
END;

-- The counter-entry of a posted transaction, dated now; its id.
CREATE FUNCTION reverse_transaction(transaction_id uuid, reason text DEFAULT NULL) RETURNS uuid
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
#variable_conflict use_column
DECLARE
    reversal uuid;
BEGIN
    INSERT INTO transactions (tenant_id, account_id, counterparty_account_id, original_id,
                              category_id, merchant_id, type, status, amount, currency, reference,
                              description)
    SELECT o.tenant_id, coalesce(o.counterparty_account_id, o.account_id),
           CASE WHEN o.counterparty_account_id IS NOT NULL THEN o.account_id END, o.id,
           o.category_id, o.merchant_id, opposite_type(o.type), 'posted', o.amount, o.currency,
           o.reference, reason
    FROM transaction_keys k
    JOIN transactions o ON o.tenant_id = k.tenant_id AND o.id = k.transaction_id
                       AND o.occurred_at = k.occurred_at
    WHERE k.transaction_id = reverse_transaction.transaction_id AND k.status = 'posted'
    RETURNING id INTO reversal;
    IF reversal IS NULL THEN
        RAISE EXCEPTION 'there is no posted transaction %', reverse_transaction.transaction_id
            USING ERRCODE = 'no_data_found';
    END IF;
    RETURN reversal;
END
$$;

-- Settles a pending transaction as posted or failed, now; the id of the row that says so.
CREATE FUNCTION settle_transaction(transaction_id uuid, outcome text DEFAULT 'posted') RETURNS uuid
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
#variable_conflict use_column
DECLARE
    settlement uuid;
BEGIN
    INSERT INTO transactions (tenant_id, account_id, counterparty_account_id, original_id,
                              category_id, merchant_id, type, status, amount, currency, reference,
                              description, metadata)
    SELECT o.tenant_id, o.account_id, o.counterparty_account_id, o.id, o.category_id,
           o.merchant_id, o.type, outcome, o.amount, o.currency, o.reference, o.description,
           o.metadata
    FROM transaction_keys k
    JOIN transactions o ON o.tenant_id = k.tenant_id AND o.id = k.transaction_id
                       AND o.occurred_at = k.occurred_at
    WHERE k.transaction_id = settle_transaction.transaction_id AND k.status = 'pending'
    RETURNING id INTO settlement;
    IF settlement IS NULL THEN
        RAISE EXCEPTION 'there is no pending transaction %', settle_transaction.transaction_id
            USING ERRCODE = 'no_data_found';
    END IF;
    RETURN settlement;
END
$$;
