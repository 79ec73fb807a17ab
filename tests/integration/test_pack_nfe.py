#!/usr/bin/env python3
"""The nfe pack: its tables against the fields of the official layout, and the rules that no column shows.

The comparison reads schema_fields.tsv of the folder that TEST_NFE_LAYOUT names, or of shared/nfe beside the
project; without it that test is skipped, as is the one of the check digits."""
import csv
import functools
import json
import os
import threading

import harness
from harness import refused_sql, shared_server, skip

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LAYOUT = os.environ.get("TEST_NFE_LAYOUT", os.path.join(os.path.dirname(ROOT), "shared", "nfe"))

EDGES = {
    "CRIADA": {"ASSINADA", "INUTILIZADA"},
    "ASSINADA": {"CRIADA", "ENVIADA"},
    "ENVIADA": {"CRIADA", "PROCESSANDO", "INUTILIZADA"},
    "PROCESSANDO": {"AUTORIZADA", "REJEITADA", "DENEGADA", "INUTILIZADA"},
    "AUTORIZADA": {"CANCELADA"},
    "REJEITADA": {"CRIADA", "INUTILIZADA"},
    "DENEGADA": set(),
    "CANCELADA": set(),
    "INUTILIZADA": set(),
}

# Where the fields of a group are: the longest prefix holds. Several tables: the field is in one of them.
PLACES = {
    "ide": "nfe", "ide/NFref": "nfe_ref_chave", "ide/NFref/refNF": "nfe_ref_nf",
    "ide/NFref/refNFP": "nfe_ref_nf_produtor", "ide/NFref/refECF": "nfe_ref_ecf",
    "ide/gCompraGov": "nfe_compra_gov nfe_compra_gov_ref", "ide/gPagAntecipado": "nfe_pag_antecipado",
    "emit": "nfe_emitente", "avulsa": "nfe_avulsa", "dest": "nfe_destinatario", "retirada": "nfe_local",
    "entrega": "nfe_local", "autXML": "nfe_autorizado_xml", "det": "nfe_item",
    "det/prod": "nfe_item nfe_item_nve nfe_item_papel", "det/prod/gCred": "nfe_item_cred_presumido",
    "det/prod/DI": "nfe_item_di", "det/prod/DI/adi": "nfe_item_di_adicao",
    "det/prod/detExport": "nfe_item_exportacao", "det/prod/rastro": "nfe_item_rastro",
    "det/prod/infProdNFF": "nfe_item_nff", "det/prod/infProdEmb": "nfe_item_embalagem",
    "det/prod/veicProd": "nfe_item_veiculo", "det/prod/med": "nfe_item_medicamento",
    "det/prod/arma": "nfe_item_arma", "det/prod/comb": "nfe_item_combustivel",
    "det/prod/comb/CIDE": "nfe_item_combustivel_cide",
    "det/prod/comb/encerrante": "nfe_item_combustivel_encerrante",
    "det/prod/comb/origComb": "nfe_item_combustivel_origem", "det/imposto": "nfe_item_imposto",
    "det/imposto/ICMS": "nfe_item_icms", "det/imposto/ICMS/ICMS02": "nfe_item_icms_monofasico",
    "det/imposto/ICMS/ICMS15": "nfe_item_icms_monofasico", "det/imposto/ICMS/ICMS53": "nfe_item_icms_monofasico",
    "det/imposto/ICMS/ICMS61": "nfe_item_icms_monofasico", "det/imposto/IPI": "nfe_item_ipi",
    "det/imposto/II": "nfe_item_ii", "det/imposto/ISSQN": "nfe_item_issqn", "det/imposto/PIS": "nfe_item_pis",
    "det/imposto/PISST": "nfe_item_pis_st", "det/imposto/COFINS": "nfe_item_cofins",
    "det/imposto/COFINSST": "nfe_item_cofins_st", "det/imposto/ICMSUFDest": "nfe_item_icms_uf_dest",
    "det/imposto/IS": "nfe_item_is", "det/imposto/IBSCBS": "nfe_item_ibscbs",
    "det/imposto/IBSCBS/gIBSCBS/gIBSUF": "nfe_item_ibscbs_tributo",
    "det/imposto/IBSCBS/gIBSCBS/gIBSMun": "nfe_item_ibscbs_tributo",
    "det/imposto/IBSCBS/gIBSCBS/gCBS": "nfe_item_ibscbs_tributo",
    "det/imposto/IBSCBS/gIBSCBS/gTribRegular": "nfe_item_ibscbs_regular",
    "det/imposto/IBSCBS/gIBSCBS/gTribCompraGov": "nfe_item_ibscbs_compra_gov",
    "det/imposto/IBSCBS/gIBSCBSMono": "nfe_item_ibscbs_mono",
    "det/imposto/IBSCBS/gTransfCred": "nfe_item_ibscbs_transf_cred",
    "det/imposto/IBSCBS/gAjusteCompet": "nfe_item_ibscbs_ajuste_compet",
    "det/imposto/IBSCBS/gEstornoCred": "nfe_item_ibscbs_estorno_cred",
    "det/imposto/IBSCBS/gCredPresOper": "nfe_item_ibscbs_cred_pres",
    "det/imposto/IBSCBS/gCredPresOper/gIBSCredPres": "nfe_item_ibscbs_cred_pres_valor",
    "det/imposto/IBSCBS/gCredPresOper/gCBSCredPres": "nfe_item_ibscbs_cred_pres_valor",
    "det/imposto/IBSCBS/gCredPresIBSZFM": "nfe_item_ibscbs_cred_pres_zfm",
    "det/impostoDevol": "nfe_item_imposto_devolvido", "det/obsItem": "nfe_item_observacao",
    "det/DFeReferenciado": "nfe_item_dfe_referenciado", "total": "nfe_total_icms",
    "total/ISSQNtot": "nfe_total_issqn", "total/retTrib": "nfe_total_retencao", "total/ISTot": "nfe_total_is",
    "total/IBSCBSTot": "nfe_total_ibscbs", "total/IBSCBSTot/gIBS/gIBSUF": "nfe_total_ibs_ente",
    "total/IBSCBSTot/gIBS/gIBSMun": "nfe_total_ibs_ente", "total/IBSCBSTot/gMono": "nfe_total_mono",
    "transp": "nfe_transporte", "transp/transporta": "nfe_transportadora",
    "transp/retTransp": "nfe_transporte_retencao", "transp/veicTransp": "nfe_transporte_veiculo",
    "transp/reboque": "nfe_transporte_veiculo", "transp/vol": "nfe_volume", "transp/vol/lacres": "nfe_volume_lacre",
    "cobr/fat": "nfe_fatura", "cobr/dup": "nfe_duplicata", "pag": "nfe", "pag/detPag": "nfe_pagamento",
    "pag/detPag/card": "nfe_pagamento_cartao", "infIntermed": "nfe_intermediador",
    "infAdic": "nfe_info_adicional", "infAdic/obsCont": "nfe_observacao", "infAdic/obsFisco": "nfe_observacao",
    "infAdic/procRef": "nfe_processo_ref", "exporta": "nfe_exportacao", "compra": "nfe_compra", "cana": "nfe_cana",
    "cana/forDia": "nfe_cana_dia", "cana/deduc": "nfe_cana_deducao", "infRespTec": "nfe_responsavel_tecnico",
    "infSolicNFF": "nfe_solicitacao_nff", "agropecuario/defensivo": "nfe_defensivo",
    "agropecuario/guiaTransito": "nfe_guia_transito", "infPAA": "nfe_paa", "NFe/infNFeSupl": "nfe_suplemento",
}
for _group in ("gMonoPadrao", "gMonoReten", "gMonoRet", "gMonoDif"):
    PLACES["det/imposto/IBSCBS/gIBSCBSMono/" + _group] = "nfe_item_ibscbs_mono_parcela"

# Columns of another name than their tag, without underscores: groups that differ in nothing but the tag share one.
RENAMED = {
    "nfe_ref_chave": {"refnfe": "chave", "refnfesig": "chave", "refcte": "chave"},
    "nfe_item_ibscbs_tributo": {"pibsuf": "ptributo", "pibsmun": "ptributo", "pcbs": "ptributo",
                                "vibsuf": "vtributo", "vibsmun": "vtributo", "vcbs": "vtributo"},
    "nfe_item_dfe_referenciado": {"nitem": "nitemref"},
    "nfe_total_ibs_ente": {"vibsuf": "vibs", "vibsmun": "vibs"},
}
# In nfe_total_ibscbs two groups have fields of one name.
PREFIXES = {"total/IBSCBSTot/gIBS": "ibs", "total/IBSCBSTot/gCBS": "cbs"}

COLUMNS = """
SELECT json_agg(json_build_object('table', c.relname, 'column', replace(a.attname, '_', ''), 'type', b.typname,
           'length', CASE WHEN b.typname = 'varchar' THEN greatest(a.atttypmod, t.typtypmod) - 4 END,
           'labels', (SELECT json_agg(e.enumlabel) FROM pg_enum e WHERE e.enumtypid = b.oid)))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
WHERE c.relkind = 'r'
"""


def read_layout(*path):
    try:
        with open(os.path.join(LAYOUT, *path), encoding="utf-8", newline="") as f:
            return f.read()
    except FileNotFoundError:
        return skip("the layout is not there (TEST_NFE_LAYOUT)")


@functools.lru_cache(maxsize=None)
def tenant():
    """A tenant with the demo rows; tests leave it as it was."""
    answer = shared_server().create("nfe-rules", "nfe")
    with open(os.path.join(ROOT, "packs", "nfe", "demo.sql"), encoding="utf-8") as f:
        harness.psql(answer["app"], f.read())
    return answer


def sql(statement):
    return harness.psql(tenant()["app"], statement)


def refused(statement, says):
    """Nothing stays, even if it is not refused."""
    return refused_sql(tenant()["app"], "BEGIN;\n%s;\nROLLBACK;" % statement, says)


def accepted(statement):
    return sql("BEGIN;\n%s;\nROLLBACK;" % statement)


def document(status):
    return sql("SELECT id FROM nfe WHERE status = '%s' AND (status <> 'CRIADA' OR n_nf IS NOT NULL)"
               " ORDER BY id LIMIT 1" % status)


def tables_of(path):
    """The tables where the fields of a group are."""
    while path not in PLACES:
        path = path.rpartition("/")[0]
        assert path, "a group that no table has"
    return PLACES[path].split()


def narrower(field, column):
    """How a column holds less than its field, or None."""
    values = field["enum"].split("|") if field["enum"] else []
    longest = max([int(field["len"].rpartition(".")[2] or 0), *map(len, values)])
    if column["labels"]:
        missing = set(values) - set(column["labels"])
        return "lacks %s" % ", ".join(sorted(missing)) if missing else None
    if field["sql_type"].startswith("numeric") and column["type"] != "numeric":
        return "is %s, not numeric" % column["type"]
    if column["length"] and column["length"] < longest:
        return "has %d characters of %d" % (column["length"], longest)
    return None


def test_every_field_of_the_layout_has_a_column_that_is_wide_enough():
    fields = list(csv.DictReader(read_layout("schema_fields.tsv").splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    columns = {(c["table"], c["column"]): c for c in json.loads(sql(COLUMNS))}
    problems = []
    for field in fields:
        path = field["path"].replace("NFe/infNFe/", "")
        tag = PREFIXES.get(path, "") + field["field"].lower()
        names = [(table, RENAMED.get(table, {}).get(tag, tag)) for table in tables_of(path)]
        found = [columns[name] for name in names if name in columns]
        problem = narrower(field, found[0]) if found else "has no column"
        if problem:
            problems.append("%s/%s %s" % (path, field["field"], problem))
    assert len(fields) > 800 and not problems, "\n".join(problems)


def test_check_digits_are_those_of_the_vectors():
    vectors = json.loads(read_layout("vectors", "digits.json"))
    for kind, function, name in (("cnpj", "cnpj_valido", "value"), ("cpf", "cpf_valido", "value"),
                                 ("chave", "chave_valida", "chave")):
        for vector in vectors[kind]:
            answer = sql("SELECT %s('%s'::text)" % (function, vector[name]))
            assert answer == ("t" if vector["valid"] else "f"), "%s %s: %s" % (kind, vector[name], answer)


def evidence(identity, target):
    """What the new state rests on."""
    if target == "INUTILIZADA":
        return ("INSERT INTO nfe_inutilizacao (id, empresa_id, tp_amb, c_uf, ano, cnpj, mod, serie, n_nf_ini, n_nf_fin,"
                " x_just, c_stat) SELECT 'ID3526' || e.cnpj || '55001' || lpad(n_nf::text, 9, '0') ||"
                " lpad(n_nf::text, 9, '0'), empresa_id, tp_amb, 35, '26', e.cnpj, mod, serie, n_nf, n_nf,"
                " 'Numero que nao sera usado', '102' FROM nfe JOIN empresas e ON e.id = empresa_id"
                " WHERE nfe.id = '%s' ON CONFLICT DO NOTHING" % identity)
    answers = {"AUTORIZADA": "100", "DENEGADA": "110"}
    if target in answers:
        return ("INSERT INTO nfe_protocolo (nfe_id, ordem, tp_amb, ver_aplic, ch_nfe, dh_recbto, dh_recbto_fuso,"
                " n_prot, c_stat, x_motivo) SELECT id, 9, tp_amb, 'v', chave_acesso, dh_emi, -3, '135260000000001', '%s',"
                " 'ok' FROM nfe WHERE id = '%s'" % (answers[target], identity))
    if target == "CANCELADA":
        return ("INSERT INTO nfe_evento (nfe_id, tp_evento, n_seq_evento, dh_evento, dh_evento_fuso, c_orgao, tp_amb,"
                " id, c_stat) SELECT id, '110111', 1, dh_emi, -3, '35', tp_amb, 'ID110111' || chave_acesso || '01',"
                " '135' FROM nfe WHERE id = '%s' ON CONFLICT DO NOTHING" % identity)
    return "SELECT"


def test_a_document_makes_the_moves_of_its_state_and_no_other():
    for state, targets in EDGES.items():
        identity = document(state)
        assert identity, "the demo has no document in state %s" % state
        for target in EDGES:
            move = "UPDATE nfe SET status = '%s' WHERE id = '%s'" % (target, identity)
            if target in targets:
                accepted("%s;\n%s" % (evidence(identity, target), move))
            elif target != state:
                refused(move, "de %s para %s nao e permitido" % (state, target))


def test_a_state_needs_what_it_rests_on():
    for state, target in (("PROCESSANDO", "AUTORIZADA"), ("PROCESSANDO", "DENEGADA"), ("AUTORIZADA", "CANCELADA"),
                          ("PROCESSANDO", "INUTILIZADA")):
        identity = sql("SELECT id FROM nfe WHERE status = '%s' AND NOT EXISTS (SELECT FROM nfe_evento"
                       " WHERE nfe_id = nfe.id AND tp_evento = '110111') LIMIT 1" % state)
        refused("UPDATE nfe SET status = '%s' WHERE id = '%s'" % (target, identity), "falta o protocolo")


def test_every_move_is_in_the_history():
    assert sql("SELECT string_agg(para::text, ' ' ORDER BY id) FROM nfe_status_historico WHERE nfe_id = '%s'"
               % document("CANCELADA")) == "CRIADA ASSINADA ENVIADA PROCESSANDO AUTORIZADA CANCELADA"
    refused("DELETE FROM nfe_status_historico", "permission denied")


CONTENT = """
WITH RECURSIVE child AS (
    SELECT 'nfe'::regclass::oid AS oid
    UNION SELECT k.conrelid FROM pg_constraint k JOIN child ON k.confrelid = child.oid WHERE k.contype = 'f'
) SELECT c.relname FROM child JOIN pg_class c USING (oid) WHERE c.relname <> 'nfe' ORDER BY 1
"""
# What happens to a document is written down while it is in any state.
SERVICES = {"nfe_xml", "nfe_status_historico", "nfe_lote_documento", "nfe_protocolo", "nfe_protocolo_msg", "nfe_evento",
            "nfe_evento_cancelamento", "nfe_evento_cce", "nfe_validacao"}


def test_no_content_of_an_authorised_document_changes():
    content = set(sql(CONTENT).split("\n")) - SERVICES
    assert len(content) >= 89, "tables of content: %d" % len(content)
    for state in ("AUTORIZADA", "CANCELADA"):
        identity = document(state)
        for table in sorted(content):
            refused("INSERT INTO %s (nfe_id) VALUES ('%s')" % (table, identity), "seu conteudo nao muda mais")
            if sql("SELECT EXISTS (SELECT FROM %s WHERE nfe_id = '%s')" % (table, identity)) == "t":
                refused("DELETE FROM %s WHERE nfe_id = '%s'" % (table, identity), "seu conteudo nao muda mais")
                refused("UPDATE %s SET nfe_id = nfe_id WHERE nfe_id = '%s'" % (table, identity),
                        "seu conteudo nao muda mais")


def test_no_field_of_an_authorised_document_changes():
    identity = document("AUTORIZADA")
    for change in ("nat_op = 'Outra'", "dh_emi_fuso = -2", "v_troco = 1.00", "empresa_id = gen_random_uuid()",
                   "chave_acesso = NULL", "tem_cobr = NOT tem_cobr"):
        refused("UPDATE nfe SET %s WHERE id = '%s'" % (change, identity), "seu conteudo nao muda mais")
    refused("DELETE FROM nfe WHERE id = '%s'" % identity, "nao pode ser apagado")
    accepted("UPDATE nfe SET reter_ate = reter_ate + 365 WHERE id = '%s'" % identity)


def test_the_date_until_which_a_document_is_kept_is_not_brought_forward():
    for state in ("AUTORIZADA", "REJEITADA", "CRIADA"):
        identity = document(state)
        refused("UPDATE nfe SET reter_ate = '2020-01-01' WHERE id = '%s';\nDELETE FROM nfe WHERE id = '%s'"
                % (identity, identity), "nao pode ser apagado")


def test_an_unnumbered_draft_is_deleted_with_its_content():
    draft = sql("SELECT id FROM nfe WHERE n_nf IS NULL LIMIT 1")
    assert sql("BEGIN; DELETE FROM nfe WHERE id = '%s'; SELECT count(*) FROM nfe_item WHERE nfe_id = '%s'; ROLLBACK"
               % (draft, draft)) == "0"


def test_registered_events_stay_as_they_are():
    refused("UPDATE nfe_evento SET x_motivo = 'outro'", "ja registrado")
    refused("DELETE FROM nfe_inutilizacao", "ja registrado")


def test_documents_are_kept_until_the_fifth_year_after_their_emission():
    assert sql("SELECT bool_and(reter_ate = make_date(extract(year FROM dh_emi - INTERVAL '3 hours')::int + 5, 12, 31))"
               " FROM nfe WHERE status IN ('AUTORIZADA', 'CANCELADA', 'DENEGADA', 'INUTILIZADA')") == "t"


def test_a_wrong_key_or_registration_is_refused():
    draft = document("CRIADA")
    refused("UPDATE nfe SET chave_acesso = left(chave_acesso::text, 43) || (9 - right(chave_acesso::text, 1)::int)"
            " WHERE id = '%s'" % draft, "nfe_regras")
    refused("UPDATE nfe SET c_nf = '12345678' WHERE id = '%s'; UPDATE nfe SET status = 'ASSINADA' WHERE id = '%s'"
            % (draft, draft), "chave difere dos dados")
    refused("INSERT INTO pessoas (tipo, cnpj, nome) VALUES ('J', '11222333000182', 'Alguem')", "tcnpj_dv")
    refused("INSERT INTO pessoas (tipo, cpf, nome) VALUES ('F', '11144477736', 'Alguem')", "tcpf_dv")
    refused("UPDATE nfe_emitente SET cnpj = '1122233300018' WHERE nfe_id = '%s'" % draft, "tcnpj_check")
    refused("UPDATE nfe_emitente SET cpf = '11144477735' WHERE nfe_id = '%s'" % draft, "nfe_emitente_regras")


def test_a_wrong_choice_is_refused():
    draft = document("CRIADA")
    for table, change in (
            ("nfe_item_pis", "grupo = 'PISNT'"), ("nfe_item_pis", "cst = '04'"), ("nfe_item_pis", "p_pis = NULL"),
            ("nfe_item_pis", "q_bc_prod = 1"), ("nfe_item_cofins", "grupo = 'COFINSX'"),
            ("nfe_item_icms", "grupo = 'ICMS10'"), ("nfe_item_icms", "v_icms_st_dest = 1.00"),
            ("nfe_item_icms", "p_fcp = 2.00"), ("nfe_item_icms", "v_icms_deson = 1.00, mot_des_icms = '9'"),
            ("nfe_item_ibscbs", "grupo = 'gTransfCred'"), ("nfe_destinatario", "cpf = '11144477735'"),
            ("nfe_destinatario", "tem_endereco = false"), ("nfe_transporte", "vagao = '1'")):
        refused("UPDATE %s SET %s WHERE nfe_id = '%s'" % (table, change, draft), table + "_regras")


def test_choices_between_tables_are_checked_when_a_document_is_signed():
    draft = document("CRIADA")
    sign = ";\nUPDATE nfe SET status = 'ASSINADA' WHERE id = '%s'" % draft
    for change, says in (
            ("DELETE FROM nfe_item_icms WHERE nfe_id = '%s'", "impostos diferem do grupo ICMS"),
            ("UPDATE nfe_item SET produto_especifico = 'comb' WHERE nfe_id = '%s'", "produto especifico"),
            ("DELETE FROM nfe_item_ibscbs_tributo WHERE tributo = 'gCBS' AND nfe_id = '%s'", "IBSCBS difere"),
            ("DELETE FROM nfe_pagamento WHERE nfe_id = '%s'", "sem pagamento"),
            ("DELETE FROM nfe_item WHERE nfe_id = '%s'", "sem itens"),
            ("UPDATE nfe_transporte SET grupo = 'rodoviario' WHERE nfe_id = '%s'", "veiculos")):
        refused(change % draft + sign, says)


def test_decimals_and_offsets_come_back_as_they_were_written():
    draft = document("CRIADA")
    for written in ("18.00", "18.0000", "18", "0"):
        assert sql("BEGIN; UPDATE nfe_item_pis SET p_pis = %s WHERE nfe_id = '%s' AND n_item = 1"
                   " RETURNING p_pis; ROLLBACK" % (written, draft)) == written
    for written in ("18.5", "-1.00", "1000", "'NaN'"):
        refused("UPDATE nfe_item_pis SET p_pis = %s WHERE nfe_id = '%s'" % (written, draft), "tdec_0302a04_check")
    refused("UPDATE nfe SET dh_sai_ent = now() WHERE id = '%s'" % draft, "nfe_regras")
    refused("UPDATE nfe SET nat_op = 'Venda ' WHERE id = '%s'" % draft, "tstring_60_check")


DRAFTS = """
INSERT INTO nfe (id, empresa_id, c_uf, nat_op, mod, serie, dh_emi, dh_emi_fuso, tp_nf, id_dest, c_mun_fg, tp_imp,
                 tp_emis, tp_amb, fin_nfe, ind_final, ind_pres, proc_emi, ver_proc)
SELECT md5('draft:' || n)::uuid, empresa_id, 35, 'Venda', '55', 1, dh_emi, -3, 1, 1, '3550308', '1', '1', '2', '1', 0,
       '9', 0, 'test' FROM generate_series(1, 40) AS n, (SELECT * FROM nfe LIMIT 1) AS one;
INSERT INTO nfe_emitente (nfe_id, cnpj, x_nome, ie, crt, x_lgr, nro, x_bairro, c_mun, x_mun, uf, cep)
SELECT n.id, e.cnpj, e.razao_social, e.ie, e.crt, e.x_lgr, e.nro, e.x_bairro, e.c_mun, e.x_mun, e.uf, e.cep
FROM nfe AS n JOIN empresas AS e ON e.id = n.empresa_id WHERE n.ver_proc = 'test'
ON CONFLICT DO NOTHING;
"""


def test_two_sessions_never_get_one_number():
    sql(DRAFTS)

    def number(first):
        sql("\n".join("SELECT nfe_numerar(md5('draft:%d')::uuid);" % n for n in range(first, 41, 2)))

    threads = [threading.Thread(target=number, args=(first,)) for first in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    given = sql("SELECT count(DISTINCT n_nf), max(n_nf) - min(n_nf), bool_and(chave_valida(chave_acesso))"
                " FROM nfe WHERE ver_proc = 'test'")
    assert given == "40|39|t", given


def test_a_number_that_is_being_given_locks_its_series():
    taken = ("SELECT nfe_numerar(id) FROM nfe WHERE id = (SELECT id FROM nfe WHERE n_nf IS NULL"
             " ORDER BY ver_proc DESC, id")
    sql(DRAFTS.replace("draft:", "other:"))
    with harness.Session(tenant()["app"]) as first:
        first.ask("BEGIN;\n%s LIMIT 1);" % taken)
        refused("SET LOCAL lock_timeout = '1ms';\n%s OFFSET 1 LIMIT 1)" % taken, 'in relation "empresa_series"')


if __name__ == "__main__":
    harness.main()
