-- Many rows for one tenant: 2,500 documents of four companies with 100,000 items. Four documents in five
-- (n % 5 < 4) have a number, 20 items with their taxes, and most of them an authorisation; the drafts have
-- 120 items, without taxes. Signing looks at every item, and more of that would show no other plan.
-- For measuring and for the test of queries.sql, not for people to look at: everything follows from
-- row numbers, but for the random code of the keys.

INSERT INTO empresas (id, cnpj, razao_social, ie, crt, x_lgr, nro, x_bairro, c_mun, x_mun, uf, cep)
SELECT md5('empresa:' || n)::uuid, com_dv(base),
       'Empresa ' || n || ' Ltda', '11004249011' || n, '3', 'Rua das Palmeiras', n::text, 'Centro', '3550308',
       'Sao Paulo', 'SP', '01001000'
FROM (SELECT n, lpad((30000000 + n)::text, 8, '0') || '0001' AS base FROM generate_series(1, 4) AS n) AS e;

INSERT INTO empresa_series (empresa_id, tp_amb, mod, serie)
SELECT id, '1', '55', 1 FROM empresas;

INSERT INTO pessoas (id, tipo, cnpj, nome)
SELECT md5('pessoa:' || n)::uuid, 'J', com_dv(base),
       'Cliente ' || n || ' Ltda'
FROM (SELECT n, lpad((40000000 + n)::text, 8, '0') || '0001' AS base FROM generate_series(1, 1000) AS n) AS p;

INSERT INTO pessoa_enderecos (pessoa_id, ordem, x_lgr, nro, x_bairro, c_mun, x_mun, uf)
SELECT id, 1, 'Avenida do Comercio', '10', 'Centro', '3106200', 'Belo Horizonte', 'MG' FROM pessoas;

INSERT INTO produtos (id, empresa_id, codigo, descricao, ncm, gtin, unidade, valor)
SELECT md5('produto:' || e || ':' || n)::uuid, md5('empresa:' || e)::uuid, 'P' || lpad(n::text, 4, '0'),
    'Produto ' || n,
       '82052000', CASE WHEN n % 4 = 0 THEN lpad((7890000000000 + n)::text, 13, '0') ELSE 'SEM GTIN' END, 'UN', n
FROM generate_series(1, 4) AS e, generate_series(1, 1000) AS n;

INSERT INTO produto_tributacao (produto_id, ordem, crt, cfop, cst_icms, p_icms)
SELECT id, 1, '3', '5102', '00', 18.00 FROM produtos;

INSERT INTO regras_tributarias (regra, uf_origem, uf_destino, aliquota, vigente_de)
SELECT 'ICMS_INTERESTADUAL', o, d, 12.00, '2020-01-01'::date + v * 365
FROM unnest(enum_range(NULL::uf_type)) AS o, unnest(enum_range(NULL::uf_type)) AS d, generate_series(0, 2) AS v;

INSERT INTO nfe (id, empresa_id, destinatario_id, c_uf, nat_op, mod, serie, dh_emi, dh_emi_fuso, tp_nf, id_dest,
                 c_mun_fg, tp_imp, tp_emis, tp_amb, fin_nfe, ind_final, ind_pres, proc_emi, ver_proc, tem_cobr)
SELECT md5('nfe:' || n)::uuid, md5('empresa:' || 1 + n % 4)::uuid, md5('pessoa:' || 1 + n % 1000)::uuid, 35,
       'Venda de mercadoria', '55', 1, date_trunc('month', now(), 'UTC') + (n - 2500) * INTERVAL '1 hour', -3, 1, 1,
       '3550308', '1', '1', '1', '1', 0, '9', 0, 'bulk 1.0', n % 2 = 0
FROM generate_series(1, 2500) AS n;

INSERT INTO nfe_emitente (nfe_id, cnpj, x_nome, ie, crt, x_lgr, nro, x_bairro, c_mun, x_mun, uf, cep)
SELECT n.id, e.cnpj, e.razao_social, e.ie, e.crt, e.x_lgr, e.nro, e.x_bairro, e.c_mun, e.x_mun, e.uf, e.cep
FROM nfe AS n JOIN empresas AS e ON e.id = n.empresa_id;

INSERT INTO nfe_destinatario (nfe_id, cnpj, x_nome, ind_ie_dest, tem_endereco)
SELECT n.id, p.cnpj, p.nome, p.ind_ie_dest, false
FROM nfe AS n JOIN pessoas AS p ON p.id = n.destinatario_id;

INSERT INTO nfe_item (nfe_id, n_item, produto_id, c_prod, c_ean, x_prod, ncm, cfop, u_com, q_com, v_un_com, v_prod,
                      c_ean_trib, u_trib, q_trib, v_un_trib, ind_tot)
SELECT md5('nfe:' || n)::uuid, i, md5('produto:' || 1 + n % 4 || ':' || p)::uuid, 'P' || lpad(p::text, 4, '0'),
       'SEM GTIN', 'Produto ' || p, '82052000', '5102', 'UN', i, p, (i * p)::numeric(13, 2), 'SEM GTIN', 'UN', i, p, 1
FROM generate_series(1, 2500) AS n, generate_series(1, CASE WHEN n % 5 < 4 THEN 20 ELSE 120 END) AS i,
    LATERAL (SELECT 1 + (n * 7 + i * 53) % 1000 AS p) AS p;

INSERT INTO nfe_item_imposto (nfe_id, n_item, grupo)
SELECT md5('nfe:' || n)::uuid, i, 'ICMS' FROM generate_series(1, 2500) AS n, generate_series(1, 20) AS i WHERE n % 5 < 4;

INSERT INTO nfe_item_icms (nfe_id, n_item, grupo, orig, cst, mod_bc, v_bc, p_icms, v_icms)
SELECT nfe_id, n_item, 'ICMS00', '0', '00', '3', v_prod, 18.00, round(v_prod * 0.18, 2)
FROM generate_series(1, 2500) AS n JOIN nfe_item ON nfe_id = md5('nfe:' || n)::uuid WHERE n % 5 < 4;

INSERT INTO nfe_item_rastro (nfe_id, n_item, ordem, n_lote, q_lote, d_fab, d_val)
SELECT nfe_id, n_item, 1, 'L' || right(c_prod::text, 3), 1, '2026-01-01', '2027-01-01' FROM nfe_item WHERE n_item = 1;

INSERT INTO nfe_total_icms (nfe_id, v_bc, v_icms, v_icms_deson, v_fcp, v_bc_st, v_st, v_fcp_st, v_fcp_st_ret, v_prod,
                            v_frete, v_seg, v_desc, v_ii, v_ipi, v_ipi_devol, v_pis, v_cofins, v_outro, v_nf)
SELECT nfe_id, sum(v_prod), sum(round(v_prod * 0.18, 2)), 0, 0, 0, 0, 0, 0, sum(v_prod), 0, 0, 0, 0, 0, 0, 0, 0, 0,
       sum(v_prod)
FROM nfe_item GROUP BY nfe_id;

INSERT INTO nfe_transporte (nfe_id, mod_frete) SELECT id, '9' FROM nfe;

INSERT INTO nfe_pagamento (nfe_id, ordem, t_pag, v_pag) SELECT nfe_id, 1, '15', v_nf FROM nfe_total_icms;

INSERT INTO nfe_duplicata (nfe_id, ordem, n_dup, d_venc, v_dup)
SELECT n.id, 1, '001', (n.dh_emi AT TIME ZONE 'UTC')::date + 30, t.v_nf
FROM nfe AS n JOIN nfe_total_icms AS t ON t.nfe_id = n.id WHERE n.tem_cobr;

INSERT INTO nfe_ref_chave (nfe_id, ordem, tipo, chave)
SELECT md5('nfe:' || n)::uuid, 1, 'refNFe', '352601300000010001055500100000' || lpad(n::text, 14, '0')
FROM generate_series(1, 2500, 5) AS n;

-- Each state is left by those that go on.
SELECT count(nfe_numerar(md5('nfe:' || n)::uuid)) FROM generate_series(1, 2500) AS n WHERE n % 5 < 4;
UPDATE nfe SET status = 'ASSINADA' WHERE n_nf IS NOT NULL;
INSERT INTO nfe_assinatura (nfe_id, digest_value, signature_value, x509_certificate, reference_uri)
SELECT id, substr(sha256(convert_to(chave_acesso, 'UTF8')), 1, 20), '\x00', '\x00', '#NFe' || chave_acesso
FROM nfe WHERE status = 'ASSINADA';
UPDATE nfe SET status = 'ENVIADA' WHERE status = 'ASSINADA' AND n_nf % 50 <> 0;
UPDATE nfe SET status = 'PROCESSANDO' WHERE status = 'ENVIADA' AND n_nf % 50 <> 1;

INSERT INTO nfe_protocolo (nfe_id, ordem, tp_amb, ver_aplic, ch_nfe, dh_recbto, dh_recbto_fuso, n_prot, c_stat,
    x_motivo)
SELECT id, 1, tp_amb, 'SP_NFE_PL_010', chave_acesso, dh_emi, -3,
       CASE WHEN n_nf % 50 <> 2 THEN '13526' || lpad((row_number() OVER (ORDER BY dh_emi))::text, 10, '0') END,
       CASE WHEN n_nf % 50 = 2 THEN '610' ELSE '100' END,
       CASE WHEN n_nf % 50 = 2 THEN 'Rejeicao: Total da NF difere do somatorio dos itens'
            ELSE 'Autorizado o uso da NF-e' END
FROM nfe WHERE status = 'PROCESSANDO';
UPDATE nfe SET status = CASE WHEN n_nf % 50 = 2 THEN 'REJEITADA' ELSE 'AUTORIZADA' END::status_nfe
    WHERE status = 'PROCESSANDO';

INSERT INTO nfe_xml (nfe_id, tipo, conteudo)
SELECT id, 'nfeProc', convert_to('<nfeProc chave="' || chave_acesso || '"/>', 'UTF8') FROM nfe
    WHERE status = 'AUTORIZADA';

INSERT INTO nfe_evento (nfe_id, tp_evento, n_seq_evento, dh_evento, dh_evento_fuso, c_orgao, tp_amb, id, c_stat,
    n_prot)
SELECT id, '110111', 1, dh_emi, -3, '35', tp_amb, 'ID110111' || chave_acesso || '01', '135', '235260000000001'
FROM nfe WHERE status = 'AUTORIZADA' AND n_nf % 20 = 3;
UPDATE nfe SET status = 'CANCELADA' WHERE status = 'AUTORIZADA' AND n_nf % 20 = 3;

INSERT INTO nfe_inutilizacao (id, empresa_id, tp_amb, c_uf, ano, cnpj, mod, serie, n_nf_ini, n_nf_fin, x_just)
SELECT 'ID3526' || e.cnpj || '55001' || lpad(n::text, 9, '0') || lpad(n::text, 9, '0'), e.id, '1', 35, '26',
    e.cnpj, '55', 1,
       n, n, 'Falha na numeracao do sistema'
FROM empresas AS e, generate_series(5000, 5499) AS n;

INSERT INTO nfe_validacao (nfe_id, ordem, regra, severidade, mensagem)
SELECT id, 1, '610', 'erro', 'Total da NF difere do somatorio dos valores' FROM nfe WHERE status = 'REJEITADA';
