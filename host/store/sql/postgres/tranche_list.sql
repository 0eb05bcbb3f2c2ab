SELECT scope, amount FROM tranche WHERE pins = :pins;
