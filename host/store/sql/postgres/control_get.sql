SELECT mode, who, why, since_at FROM control;
