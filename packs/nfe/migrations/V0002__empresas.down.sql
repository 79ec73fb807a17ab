DROP TABLE regras_tributarias;
DROP TABLE produto_tributacao;
DROP TABLE produtos;
DROP TABLE pessoa_enderecos;
DROP TABLE pessoas;
DROP TABLE empresa_certificados;
DROP TABLE empresa_series;
DROP TABLE empresas;
