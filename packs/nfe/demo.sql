-- Two companies, their buyers and products, and 24 invoices in every state, moved through the states
-- as an application would. All names are invented; the check digits are right.

INSERT INTO empresas (id, cnpj, razao_social, nome_fantasia, ie, crt, x_lgr, nro, x_bairro, c_mun, x_mun, uf,
    cep, fone)
SELECT md5('empresa:' || n)::uuid, com_dv(base),
       razao, fantasia, '11004249011' || n, crt::crt, 'Rua das Palmeiras', (100 * n)::text, 'Centro', '3550308',
       'Sao Paulo', 'SP', '01001000', '1130001000'
FROM (VALUES (1, '112223330001', 'Alfa Comercio de Ferramentas Ltda', 'Alfa Ferramentas', '3'),
             (2, '12ABC34501DE', 'Beta Papelaria Ltda', 'Beta Papel', '1')) AS e (n, base, razao, fantasia, crt);

INSERT INTO empresa_series (empresa_id, tp_amb, mod, serie)
SELECT id, ambiente::tp_amb, '55', 1 FROM empresas, (VALUES ('1'), ('2')) AS a (ambiente);

INSERT INTO empresa_certificados (empresa_id, thumbprint, referencia, titular, valido_de, valido_ate)
SELECT id, upper(md5(id::text) || left(md5(cnpj::text), 8)), 'cofre:' || left(id::text, 8), razao_social,
       now() - INTERVAL '100 days', now() + INTERVAL '265 days'
FROM empresas;

INSERT INTO pessoas (id, tipo, cnpj, nome, ind_ie_dest, ie, email)
SELECT md5('pessoa:' || n)::uuid, 'J', com_dv(base),
       'Cliente ' || n || ' Comercio Ltda', '1', '1234567890' || n % 10, 'compras' || n || '@exemplo.com.br'
FROM (SELECT n, lpad((20000000 + n * 37)::text, 8, '0') || '0001' AS base FROM generate_series(1, 20) AS n) AS p;

INSERT INTO pessoa_enderecos (pessoa_id, ordem, x_lgr, nro, x_bairro, c_mun, x_mun, uf, cep, c_pais, x_pais)
SELECT md5('pessoa:' || n)::uuid, 1, 'Avenida do Comercio', (10 + n)::text, 'Centro', '3106200', 'Belo Horizonte',
       'MG', '30110000', '1058', 'Brasil'
FROM generate_series(1, 20) AS n;

-- Tools of the one, paper and pens of the other.
INSERT INTO produtos (id, empresa_id, codigo, descricao, ncm, unidade, valor)
SELECT md5('produto:' || e || ':' || n)::uuid, md5('empresa:' || e)::uuid, 'P' || lpad(n::text, 4, '0'), descricao,
       ncm, unidade, valor
FROM (VALUES (1, 1, 'Martelo unha 25 mm', '82052000', 'UN', 32.90),
             (1, 2, 'Martelo unha 29 mm', '82052000', 'UN', 38.50),
             (1, 3, 'Martelo de borracha 60 mm', '82052000', 'UN', 24.90),
             (1, 4, 'Chave de fenda 1/4 x 6', '82054000', 'UN', 14.90),
             (1, 5, 'Chave Phillips 3/16 x 4', '82054000', 'UN', 12.40),
             (1, 6, 'Jogo de chaves de fenda, 6 pecas', '82054000', 'JG', 69.90),
             (1, 7, 'Alicate universal 8', '82032010', 'UN', 46.00),
             (1, 8, 'Alicate de corte diagonal 6', '82032010', 'UN', 39.90),
             (1, 9, 'Alicate de bico meia cana 6', '82032010', 'UN', 41.50),
             (1, 10, 'Serrote profissional 20', '82021000', 'UN', 54.90),
             (1, 11, 'Serrote de costa 12', '82021000', 'UN', 47.80),
             (1, 12, 'Arco de serra regulavel 12', '82021000', 'UN', 29.90),
             (1, 13, 'Trena de aco 3 m', '90178010', 'UN', 15.90), (1, 14, 'Trena de aco 5 m', '90178010', 'UN', 22.90),
             (1, 15, 'Trena de aco 8 m', '90178010', 'UN', 36.90),
             (2, 1, 'Caderno universitario 96 folhas', '48202000', 'UN', 14.50),
             (2, 2, 'Caderno universitario 200 folhas', '48202000', 'UN', 24.90),
             (2, 3, 'Caderno brochura 80 folhas', '48202000', 'UN', 8.90),
             (2, 4, 'Caneta esferografica azul, 50 unidades', '96081000', 'CX', 42.00),
             (2, 5, 'Caneta esferografica preta, 50 unidades', '96081000', 'CX', 42.00),
             (2, 6, 'Caneta esferografica vermelha, 12 unidades', '96081000', 'CX', 13.20),
             (2, 7, 'Lapis preto HB, 12 unidades', '96091000', 'CX', 9.60),
             (2, 8, 'Lapis preto 2B, 12 unidades', '96091000', 'CX', 11.80),
             (2, 9, 'Lapis de cor, 24 cores', '96091000', 'CX', 27.90),
             (2, 10, 'Papel sulfite A4 75 g, 500 folhas', '48025610', 'PC', 26.90),
             (2, 11, 'Papel sulfite A4 90 g, 500 folhas', '48025610', 'PC', 34.50),
             (2, 12, 'Papel sulfite A4 reciclado, 500 folhas', '48025610', 'PC', 29.90),
             (2, 13, 'Borracha branca, 40 unidades', '40169200', 'CX', 18.00),
             (2, 14, 'Borracha bicolor, 20 unidades', '40169200', 'CX', 16.40),
             (2, 15, 'Borracha com capa, 24 unidades', '40169200', 'CX', 31.20)
     ) AS p (e, n, descricao, ncm, unidade, valor);

INSERT INTO produto_tributacao (produto_id, ordem, crt, cfop, cst_icms, csosn, p_icms, cst_pis, p_pis, cst_cofins,
                                p_cofins, cst_ibscbs, c_class_trib)
SELECT p.id, 1, e.crt, '6102', '00'::cst_icms, NULL::csosn_type, 12.00, '01', 1.65, '01', 7.60, '000', '000001'
FROM produtos AS p JOIN empresas AS e ON e.id = p.empresa_id WHERE e.crt = '3'
UNION ALL
SELECT p.id, 1, e.crt, '6102', NULL, '102', NULL, '49', 0.00, '49', 0.00, '000', '000001'
FROM produtos AS p JOIN empresas AS e ON e.id = p.empresa_id WHERE e.crt = '1';

INSERT INTO regras_tributarias (regra, uf_origem, uf_destino, aliquota, vigente_de, fundamento)
VALUES ('ICMS_INTERNA', 'SP', 'SP', 18.00, '2024-01-01', 'RICMS/SP'),
       ('ICMS_INTERESTADUAL', 'SP', 'MG', 12.00, '2024-01-01', 'Resolucao do Senado 22/1989'),
       ('IBS_UF', NULL, NULL, 0.10, '2026-01-01', 'LC 214/2025'),
       ('CBS', NULL, NULL, 0.90, '2026-01-01', 'LC 214/2025');

-- Drafts: even ones of the first company (CRT 3), odd ones of the second (CRT 1, Simples Nacional).
INSERT INTO nfe (id, empresa_id, destinatario_id, c_uf, nat_op, mod, serie, dh_emi, dh_emi_fuso, tp_nf, id_dest,
                 c_mun_fg, tp_imp, tp_emis, tp_amb, fin_nfe, ind_final, ind_pres, proc_emi, ver_proc, tem_cobr)
SELECT md5('nfe:' || n)::uuid, md5('empresa:' || 1 + n % 2)::uuid, md5('pessoa:' || 1 + n % 20)::uuid, 35,
       'Venda de mercadoria', '55', 1, date_trunc('hour', now()) - n * INTERVAL '7 hours', -3, 1, 2, '3550308', '1',
       '1', '2', '1', 0, '9', 0, 'demo 1.0', n % 3 = 0
FROM generate_series(1, 24) AS n;

INSERT INTO nfe_emitente (nfe_id, cnpj, x_nome, x_fant, ie, crt, x_lgr, nro, x_bairro, c_mun, x_mun, uf, cep, fone)
SELECT n.id, e.cnpj, e.razao_social, e.nome_fantasia, e.ie, e.crt, e.x_lgr, e.nro, e.x_bairro, e.c_mun, e.x_mun,
       e.uf, e.cep, e.fone
FROM nfe AS n JOIN empresas AS e ON e.id = n.empresa_id;

INSERT INTO nfe_destinatario (nfe_id, cnpj, x_nome, ind_ie_dest, ie, email, tem_endereco, x_lgr, nro, x_bairro, c_mun,
                              x_mun, uf, cep, c_pais, x_pais)
SELECT n.id, p.cnpj, p.nome, p.ind_ie_dest, p.ie, p.email, true, a.x_lgr, a.nro, a.x_bairro, a.c_mun, a.x_mun, a.uf,
       a.cep, a.c_pais, a.x_pais
FROM nfe AS n
JOIN pessoas AS p ON p.id = n.destinatario_id
JOIN pessoa_enderecos AS a ON a.pessoa_id = p.id AND a.ordem = 1;

INSERT INTO nfe_item (nfe_id, n_item, produto_id, c_prod, c_ean, x_prod, ncm, cfop, u_com, q_com, v_un_com, v_prod,
                      c_ean_trib, u_trib, q_trib, v_un_trib, ind_tot)
SELECT n.id, i, p.id, p.codigo, p.gtin, p.descricao, p.ncm, '6102', p.unidade, i::numeric(9, 4), p.valor,
       round(i * p.valor, 2), p.gtin, p.unidade, i::numeric(9, 4), p.valor, 1
FROM nfe AS n, generate_series(1, 3) AS i, produtos AS p
WHERE p.empresa_id = n.empresa_id AND p.codigo = 'P'
    || lpad((1 + (i * 5 + extract(hour FROM n.dh_emi)::integer) % 15)::text, 4, '0');

INSERT INTO nfe_item_imposto (nfe_id, n_item, grupo)
SELECT nfe_id, n_item, 'ICMS' FROM nfe_item;

INSERT INTO nfe_item_icms (nfe_id, n_item, grupo, orig, cst, mod_bc, v_bc, p_icms, v_icms)
SELECT i.nfe_id, i.n_item, 'ICMS00', '0', '00', '3', i.v_prod, 12.00, round(i.v_prod * 0.12, 2)
FROM nfe_item AS i JOIN nfe_emitente AS e ON e.nfe_id = i.nfe_id AND e.crt = '3';

INSERT INTO nfe_item_icms (nfe_id, n_item, grupo, orig, csosn)
SELECT i.nfe_id, i.n_item, 'ICMSSN102', '0', '102'
FROM nfe_item AS i JOIN nfe_emitente AS e ON e.nfe_id = i.nfe_id AND e.crt = '1';

-- What the Simples Nacional pays is in its monthly payment, not in the document.
INSERT INTO nfe_item_pis (nfe_id, n_item, grupo, cst, v_bc, p_pis, v_pis)
SELECT i.nfe_id, i.n_item, 'PISAliq', '01', i.v_prod, 1.65, round(i.v_prod * 0.0165, 2)
FROM nfe_item AS i JOIN nfe_emitente AS e ON e.nfe_id = i.nfe_id AND e.crt = '3'
UNION ALL
SELECT i.nfe_id, i.n_item, 'PISOutr', '49', 0.00, 0.00, 0.00
FROM nfe_item AS i JOIN nfe_emitente AS e ON e.nfe_id = i.nfe_id AND e.crt = '1';

INSERT INTO nfe_item_cofins (nfe_id, n_item, grupo, cst, v_bc, p_cofins, v_cofins)
SELECT i.nfe_id, i.n_item, 'COFINSAliq', '01', i.v_prod, 7.60, round(i.v_prod * 0.076, 2)
FROM nfe_item AS i JOIN nfe_emitente AS e ON e.nfe_id = i.nfe_id AND e.crt = '3'
UNION ALL
SELECT i.nfe_id, i.n_item, 'COFINSOutr', '49', 0.00, 0.00, 0.00
FROM nfe_item AS i JOIN nfe_emitente AS e ON e.nfe_id = i.nfe_id AND e.crt = '1';

-- The other taxes are no part of the base.
INSERT INTO nfe_item_ibscbs (nfe_id, n_item, grupo, cst, c_class_trib, v_bc, v_ibs)
SELECT nfe_id, n_item, 'gIBSCBS', '000', '000001', base, round(base * 0.001, 2)
FROM (SELECT nfe_id, n_item, i.v_prod - coalesce(c.v_icms, 0.00) - p.v_pis - f.v_cofins AS base
      FROM nfe_item AS i JOIN nfe_item_icms AS c USING (nfe_id, n_item) JOIN nfe_item_pis AS p USING (nfe_id, n_item)
      JOIN nfe_item_cofins AS f USING (nfe_id, n_item)) AS b;

INSERT INTO nfe_item_ibscbs_tributo (nfe_id, n_item, tributo, p_tributo, v_tributo)
SELECT nfe_id, n_item, tributo, aliquota, round(v_bc * aliquota / 100, 2)
FROM nfe_item_ibscbs, (VALUES ('gIBSUF', 0.10), ('gIBSMun', 0.00), ('gCBS', 0.90)) AS t (tributo, aliquota);

INSERT INTO nfe_total_icms (nfe_id, v_bc, v_icms, v_icms_deson, v_fcp, v_bc_st, v_st, v_fcp_st, v_fcp_st_ret, v_prod,
                            v_frete, v_seg, v_desc, v_ii, v_ipi, v_ipi_devol, v_pis, v_cofins, v_outro, v_nf)
SELECT i.nfe_id, coalesce(sum(c.v_bc), 0.00), coalesce(sum(c.v_icms), 0.00), 0.00, 0.00, 0.00, 0.00, 0.00, 0.00,
       sum(i.v_prod), 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, sum(p.v_pis), sum(f.v_cofins), 0.00, sum(i.v_prod)
FROM nfe_item AS i
JOIN nfe_item_icms AS c USING (nfe_id, n_item)
JOIN nfe_item_pis AS p USING (nfe_id, n_item)
JOIN nfe_item_cofins AS f USING (nfe_id, n_item)
GROUP BY i.nfe_id;

INSERT INTO nfe_transporte (nfe_id, mod_frete) SELECT id, '9' FROM nfe;

INSERT INTO nfe_fatura (nfe_id, n_fat, v_orig, v_desc, v_liq)
SELECT n.id, 'F' || left(n.id::text, 6), t.v_nf, 0.00, t.v_nf
FROM nfe AS n JOIN nfe_total_icms AS t ON t.nfe_id = n.id WHERE n.tem_cobr;

INSERT INTO nfe_duplicata (nfe_id, ordem, n_dup, d_venc, v_dup)
SELECT n.id, 1, '001', (n.dh_emi + INTERVAL '30 days')::date, t.v_nf
FROM nfe AS n JOIN nfe_total_icms AS t ON t.nfe_id = n.id WHERE n.tem_cobr;

INSERT INTO nfe_pagamento (nfe_id, ordem, ind_pag, t_pag, v_pag)
SELECT nfe_id, 1, 1, '15', v_nf FROM nfe_total_icms;

INSERT INTO nfe_info_adicional (nfe_id, inf_cpl) SELECT id, 'Documento de demonstracao, sem valor fiscal' FROM nfe;

-- The first twenty get their numbers, in order of emission, and most of them are signed and sent.
DO $$
DECLARE
    n         record;
    protocolo text;
BEGIN
    FOR n IN SELECT id, row_number() OVER (ORDER BY dh_emi) AS k FROM nfe ORDER BY dh_emi LIMIT 20 LOOP
        PERFORM nfe_numerar(n.id);
        CONTINUE WHEN n.k > 18;
        UPDATE nfe SET status = 'ASSINADA' WHERE id = n.id;
        CONTINUE WHEN n.k > 17;
        INSERT INTO nfe_assinatura (nfe_id, digest_value, signature_value, x509_certificate, reference_uri)
        SELECT id, substr(sha256(convert_to(chave_acesso, 'UTF8')), 1, 20), '\x00', '\x00', '#NFe' || chave_acesso
        FROM nfe WHERE id = n.id;
        UPDATE nfe SET status = 'ENVIADA' WHERE id = n.id;
        CONTINUE WHEN n.k > 16;
        UPDATE nfe SET status = 'PROCESSANDO' WHERE id = n.id;
        CONTINUE WHEN n.k > 15;
        protocolo := '13526' || lpad(n.k::text, 10, '0');
        INSERT INTO nfe_protocolo (nfe_id, ordem, tp_amb, ver_aplic, ch_nfe, dh_recbto, dh_recbto_fuso, n_prot,
            c_stat, x_motivo)
        SELECT id, 1, tp_amb, 'SP_NFE_PL_010', chave_acesso, dh_emi + INTERVAL '1 minute', -3,
               CASE WHEN n.k <= 12 THEN protocolo END,
               CASE WHEN n.k <= 11 THEN '100' WHEN n.k = 12 THEN '110' ELSE '610' END,
               CASE WHEN n.k <= 11 THEN 'Autorizado o uso da NF-e' WHEN n.k = 12 THEN 'Uso Denegado'
                    ELSE 'Rejeicao: Total da NF difere do somatorio dos valores' END
        FROM nfe WHERE id = n.id;
        UPDATE nfe SET status = CASE WHEN n.k <= 11 THEN 'AUTORIZADA' WHEN n.k = 12 THEN 'DENEGADA'
            ELSE 'REJEITADA' END::status_nfe
        WHERE id = n.id;
        CONTINUE WHEN n.k > 3;
        INSERT INTO nfe_evento (nfe_id, tp_evento, n_seq_evento, dh_evento, dh_evento_fuso, c_orgao, tp_amb, id)
        SELECT id, CASE WHEN n.k <= 2 THEN '110111' ELSE '110110' END, 1, dh_emi + INTERVAL '1 hour', -3, '35',
            tp_amb, 'ID' || CASE WHEN n.k <= 2 THEN '110111' ELSE '110110' END || chave_acesso || '01'
        FROM nfe WHERE id = n.id;
        IF n.k <= 2 THEN
            INSERT INTO nfe_evento_cancelamento (nfe_id, tp_evento, n_seq_evento, n_prot, x_just)
            VALUES (n.id, '110111', 1, protocolo, 'Pedido cancelado pelo comprador');
        ELSE
            INSERT INTO nfe_evento_cce (nfe_id, n_seq_evento, x_correcao, x_cond_uso)
            VALUES (n.id, 1, 'Endereco de entrega: sala 12',
                'A Carta de Correcao e disciplinada pelo Ajuste SINIEF 7/2005.');
        END IF;
        UPDATE nfe_evento SET c_stat = '135', x_motivo = 'Evento registrado e vinculado a NF-e',
            n_prot = '23526' || lpad(n.k::text, 10, '0'), registrado_em = now()
        WHERE nfe_id = n.id;
        UPDATE nfe SET status = 'CANCELADA' WHERE id = n.id AND n.k <= 2;
    END LOOP;
END
$$;

-- One rejected number is given up.
INSERT INTO nfe_inutilizacao (id, empresa_id, tp_amb, c_uf, ano, cnpj, mod, serie, n_nf_ini, n_nf_fin, x_just,
    c_stat, x_motivo, n_prot)
SELECT 'ID' || n.c_uf || to_char(n.dh_emi, 'YY') || e.cnpj || n.mod || lpad(n.serie::text, 3, '0')
           || lpad(n.n_nf::text, 9, '0') || lpad(n.n_nf::text, 9, '0'),
       n.empresa_id, n.tp_amb, n.c_uf, to_char(n.dh_emi, 'YY'), e.cnpj, n.mod, n.serie, n.n_nf, n.n_nf,
       'Numero abandonado depois da rejeicao', '102', 'Inutilizacao de numero homologado', '135260000009999'
FROM nfe AS n JOIN empresas AS e ON e.id = n.empresa_id
WHERE n.status = 'REJEITADA' ORDER BY n.dh_emi LIMIT 1;

UPDATE nfe AS n SET status = 'INUTILIZADA'
FROM nfe_inutilizacao AS i
WHERE n.empresa_id = i.empresa_id AND n.n_nf = i.n_nf_ini AND n.status = 'REJEITADA';
