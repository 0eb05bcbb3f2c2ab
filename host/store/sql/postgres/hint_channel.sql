SELECT quote_ident('tollgate ' || current_schema()) AS channel;
