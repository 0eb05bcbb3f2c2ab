UPDATE cap SET active = 0;
