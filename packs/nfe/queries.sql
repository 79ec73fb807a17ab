-- What an invoice application asks of one tenant. The form of this file: tests/integration/pack_queries.py.

-- query: a document by its key
-- values: SELECT chave_acesso FROM nfe WHERE chave_acesso IS NOT NULL LIMIT 1
-- plan: index=nfe_chave_acesso_key
SELECT id, status, n_nf, serie, dh_emi
FROM nfe
WHERE chave_acesso = $1;

-- query: a document by its number
-- values: SELECT empresa_id, n_nf FROM nfe WHERE n_nf IS NOT NULL LIMIT 1
-- plan: index=nfe_empresa_id_tp_amb_mod_serie_n_nf_key
SELECT id, status, chave_acesso
FROM nfe
WHERE empresa_id = $1 AND tp_amb = '1' AND mod = '55' AND serie = 1 AND n_nf = $2;

-- query: the last numbers of a series
-- values: SELECT id FROM empresas LIMIT 1
-- plan: index=nfe_empresa_id_tp_amb_mod_serie_n_nf_key
SELECT n_nf, id, status
FROM nfe
WHERE empresa_id = $1 AND tp_amb = '1' AND mod = '55' AND serie = 1 AND n_nf IS NOT NULL
ORDER BY n_nf DESC
LIMIT 20;

-- query: gaps in the numbers of a series: neither given nor voided
-- values: SELECT empresa_id, 1, 400 FROM nfe LIMIT 1
-- plan: index=nfe_empresa_id_tp_amb_mod_serie_n_nf_key
-- plan: index=ix_nfe_inutilizacao_empresa_id
SELECT ate_aqui + 1 AS de, proximo - 1 AS ate
FROM (SELECT max(fim) OVER (ORDER BY inicio) AS ate_aqui, lead(inicio) OVER (ORDER BY inicio) AS proximo
      FROM (SELECT n_nf AS inicio, n_nf AS fim
            FROM nfe
            WHERE empresa_id = $1 AND tp_amb = '1' AND mod = '55' AND serie = 1 AND n_nf BETWEEN $2 AND $3
            UNION ALL
            SELECT n_nf_ini, n_nf_fin
            FROM nfe_inutilizacao
            WHERE empresa_id = $1 AND tp_amb = '1' AND mod = '55' AND serie = 1 AND n_nf_ini BETWEEN $2 AND $3
              AND c_stat = '102') AS usado) AS faixa
WHERE proximo > ate_aqui + 1;

-- query: the newest page of a company's documents
-- values: SELECT id FROM empresas LIMIT 1
-- plan: index=ix_nfe_empresa_id_dh_emi
SELECT id, n_nf, status, dh_emi
FROM nfe
WHERE empresa_id = $1
ORDER BY dh_emi DESC
LIMIT 50;

-- query: the page after a document
-- values: SELECT empresa_id, max(dh_emi) - INTERVAL '30 days' FROM nfe GROUP BY 1 LIMIT 1
-- plan: index=ix_nfe_empresa_id_dh_emi
SELECT id, n_nf, status, dh_emi
FROM nfe
WHERE empresa_id = $1 AND dh_emi < $2
ORDER BY dh_emi DESC
LIMIT 50;

-- query: documents that wait for an answer, oldest first
-- plan: index=ix_nfe_status
SELECT id, chave_acesso, dh_emi
FROM nfe
WHERE status = 'ENVIADA'
ORDER BY dh_emi
LIMIT 50;

-- query: rejected documents with what is wrong
-- plan: index=ix_nfe_status
SELECT n.id, n.n_nf, v.regra, v.mensagem
FROM nfe AS n
JOIN nfe_validacao AS v ON v.nfe_id = n.id
WHERE n.status = 'REJEITADA'
ORDER BY n.dh_emi
LIMIT 50;

-- query: documents whose retention is over, oldest first
-- plan: index=ix_nfe_status
-- plan: noseq=nfe
SELECT id, chave_acesso, reter_ate
FROM nfe
WHERE status = ANY ('{AUTORIZADA,DENEGADA,CANCELADA,INUTILIZADA}') AND dh_emi < now() - INTERVAL '5 years'
  AND nfe_retencao_acabou(reter_ate)
ORDER BY dh_emi
LIMIT 1000;

-- query: what a buyer bought, newest first
-- values: SELECT destinatario_id FROM nfe LIMIT 1
-- plan: index=ix_nfe_destinatario_id
SELECT n.id, n.n_nf, n.dh_emi, t.v_nf
FROM nfe AS n
JOIN nfe_total_icms AS t ON t.nfe_id = n.id
WHERE n.destinatario_id = $1
ORDER BY n.dh_emi DESC;

-- query: items of a document
-- values: SELECT id FROM nfe LIMIT 1
-- plan: index=nfe_item_pkey
SELECT n_item, c_prod, x_prod, q_com, v_un_com, v_prod
FROM nfe_item
WHERE nfe_id = $1
ORDER BY n_item;

-- query: items of a document with their taxes
-- values: SELECT id FROM nfe LIMIT 1
-- plan: index=nfe_item_pkey
-- plan: index=nfe_item_icms_pkey
SELECT i.n_item, i.v_prod, c.grupo, c.cst, c.csosn, c.v_bc, c.p_icms, c.v_icms, p.v_pis, f.v_cofins
FROM nfe_item AS i
JOIN nfe_item_imposto AS x USING (nfe_id, n_item)
LEFT JOIN nfe_item_icms AS c USING (nfe_id, n_item)
LEFT JOIN nfe_item_pis AS p USING (nfe_id, n_item)
LEFT JOIN nfe_item_cofins AS f USING (nfe_id, n_item)
WHERE i.nfe_id = $1
ORDER BY i.n_item;

-- query: the head of a document for printing
-- values: SELECT id FROM nfe LIMIT 1
-- plan: index=nfe_pkey
-- plan: index=nfe_emitente_pkey
-- plan: index=nfe_destinatario_pkey
SELECT n.chave_acesso, n.n_nf, n.dh_emi, e.x_nome, e.cnpj, d.x_nome, d.cnpj, d.cpf, t.v_nf
FROM nfe AS n
JOIN nfe_emitente AS e ON e.nfe_id = n.id
LEFT JOIN nfe_destinatario AS d ON d.nfe_id = n.id
JOIN nfe_total_icms AS t ON t.nfe_id = n.id
WHERE n.id = $1;

-- query: one document of the summary
-- values: SELECT id FROM nfe LIMIT 1
-- plan: index=nfe_pkey
SELECT numero_nf, destinatario, valor_total, status
FROM nfe_resumo
WHERE id = $1;

-- query: where a product was sold
-- values: SELECT produto_id FROM nfe_item LIMIT 1
-- plan: index=ix_nfe_item_produto_id
SELECT nfe_id, n_item, q_com, v_prod
FROM nfe_item
WHERE produto_id = $1;

-- query: documents with a lot, for a recall
-- values: SELECT n_lote FROM nfe_item_rastro LIMIT 1
-- plan: index=ix_nfe_item_rastro_n_lote
SELECT r.nfe_id, r.n_item, r.q_lote, r.d_val
FROM nfe_item_rastro AS r
WHERE r.n_lote = $1;

-- query: duplicatas that fall due on a day
-- values: SELECT d_venc FROM nfe_duplicata LIMIT 1
-- plan: index=ix_nfe_duplicata_d_venc
SELECT nfe_id, n_dup, v_dup
FROM nfe_duplicata
WHERE d_venc = $1;

-- query: who refers to a document
-- values: SELECT chave FROM nfe_ref_chave LIMIT 1
-- plan: index=ix_nfe_ref_chave_chave
SELECT nfe_id, tipo
FROM nfe_ref_chave
WHERE chave = $1;

-- query: payments of a document
-- values: SELECT id FROM nfe LIMIT 1
-- plan: index=nfe_pagamento_pkey
SELECT p.ordem, p.t_pag, p.v_pag, c.t_band, c.c_aut
FROM nfe_pagamento AS p
LEFT JOIN nfe_pagamento_cartao AS c USING (nfe_id, ordem)
WHERE p.nfe_id = $1
ORDER BY p.ordem;

-- query: the answer that holds for a document
-- values: SELECT nfe_id FROM nfe_protocolo LIMIT 1
-- plan: index=nfe_protocolo_pkey
SELECT c_stat, x_motivo, n_prot, dh_recbto
FROM nfe_protocolo
WHERE nfe_id = $1
ORDER BY ordem DESC
LIMIT 1;

-- query: the XML to deliver
-- values: SELECT nfe_id FROM nfe_xml LIMIT 1
-- plan: index=nfe_xml_pkey
SELECT conteudo, sha256
FROM nfe_xml
WHERE nfe_id = $1 AND tipo = 'nfeProc'
ORDER BY ordem DESC
LIMIT 1;

-- query: how a document came to its state
-- values: SELECT id FROM nfe LIMIT 1
-- plan: index=ix_nfe_status_historico_nfe_id
SELECT de, para, motivo, usuario, criado_em
FROM nfe_status_historico
WHERE nfe_id = $1
ORDER BY id;

-- query: events of a document
-- values: SELECT nfe_id FROM nfe_evento LIMIT 1
-- plan: index=nfe_evento_pkey
SELECT tp_evento, n_seq_evento, dh_evento, c_stat, n_prot
FROM nfe_evento
WHERE nfe_id = $1
ORDER BY dh_evento;

-- query: the next sequence of a correction
-- values: SELECT nfe_id FROM nfe_evento LIMIT 1
-- plan: index=nfe_evento_pkey
SELECT coalesce(max(n_seq_evento), 0) + 1
FROM nfe_evento
WHERE nfe_id = $1 AND tp_evento = '110110';

-- query: whether a number was voided
-- values: SELECT empresa_id, n_nf_ini FROM nfe_inutilizacao LIMIT 1
-- plan: index=ix_nfe_inutilizacao_empresa_id
SELECT id, n_prot
FROM nfe_inutilizacao
WHERE empresa_id = $1 AND tp_amb = '1' AND mod = '55' AND serie = 1 AND n_nf_ini <= $2 AND n_nf_fin >= $2;

-- query: a buyer by CNPJ
-- values: SELECT cnpj FROM pessoas WHERE cnpj IS NOT NULL LIMIT 1
-- plan: index=pessoas_cnpj_key
SELECT id, nome, ind_ie_dest, ie
FROM pessoas
WHERE cnpj = $1;

-- query: buyers whose name begins with
-- values: SELECT 'cliente 77%'
-- plan: index=ix_pessoas_nome
SELECT id, nome, cnpj, cpf
FROM pessoas
WHERE lower(nome::text) LIKE $1
LIMIT 20;

-- query: addresses of a buyer
-- values: SELECT id FROM pessoas LIMIT 1
-- plan: index=pessoa_enderecos_pkey
SELECT ordem, x_lgr, nro, x_bairro, x_mun, uf, cep
FROM pessoa_enderecos
WHERE pessoa_id = $1
ORDER BY ordem;

-- query: a product by its code
-- values: SELECT empresa_id, codigo FROM produtos LIMIT 1
-- plan: index=produtos_empresa_id_codigo_key
SELECT id, descricao, ncm, valor
FROM produtos
WHERE empresa_id = $1 AND codigo = $2;

-- query: a product by its bar code
-- values: SELECT gtin FROM produtos WHERE gtin <> 'SEM GTIN' LIMIT 1
-- plan: index=ix_produtos_gtin
SELECT id, codigo, descricao, valor
FROM produtos
WHERE gtin = $1 AND gtin <> 'SEM GTIN' AND gtin <> '';

-- query: how a product is taxed in a state
-- values: SELECT produto_id, 'SP' FROM produto_tributacao LIMIT 1
-- plan: index=produto_tributacao_pkey
SELECT cfop, cst_icms, csosn, p_icms
FROM produto_tributacao
WHERE produto_id = $1 AND (uf = $2 OR uf IS NULL)
ORDER BY uf NULLS LAST, ordem
LIMIT 1;

-- query: the rate in force on a day
-- values: SELECT 'ICMS_INTERESTADUAL', uf_origem, uf_destino, '2021-06-01'::date FROM regras_tributarias LIMIT 1
-- plan: index=ix_regras_tributarias_regra
SELECT aliquota
FROM regras_tributarias
WHERE regra = $1 AND uf_origem = $2 AND uf_destino = $3 AND vigente_de <= $4 AND coalesce(vigente_ate, 'infinity') >= $4
ORDER BY vigente_de DESC
LIMIT 1;

-- query: what a company sold in a period
-- values: SELECT empresa_id, max(dh_emi) - INTERVAL '5 days', max(dh_emi) FROM nfe GROUP BY 1 LIMIT 1
-- plan: index=ix_nfe_empresa_id_dh_emi
SELECT count(*), sum(t.v_nf), sum(t.v_icms)
FROM nfe AS n
JOIN nfe_total_icms AS t ON t.nfe_id = n.id
WHERE n.empresa_id = $1 AND n.status = 'AUTORIZADA' AND n.dh_emi >= $2 AND n.dh_emi < $3;

-- query: a draft gets its number
-- values: SELECT id FROM empresas LIMIT 1
-- plan: index=empresa_series_pkey
UPDATE empresa_series SET proximo_numero = proximo_numero + 1
WHERE empresa_id = $1 AND tp_amb = '1' AND mod = '55' AND serie = 1
RETURNING proximo_numero - 1;

-- query: a document is signed again after a correction
-- values: SELECT id FROM nfe WHERE status = 'REJEITADA' LIMIT 1
-- plan: index=nfe_pkey
UPDATE nfe SET status = 'CRIADA' WHERE id = $1
RETURNING status, atualizado_em;
