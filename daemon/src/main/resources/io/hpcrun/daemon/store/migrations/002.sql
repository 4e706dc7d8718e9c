-- How ranks really entered, as nodes told: their modes in order, such as "exec and join".
alter table launch add column entered ${text};
