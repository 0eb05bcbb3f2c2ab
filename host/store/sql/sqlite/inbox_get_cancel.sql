SELECT body FROM inbox INDEXED BY inbox_cancel WHERE run_seq = :run AND kind = 'cancel';
