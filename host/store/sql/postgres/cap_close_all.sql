UPDATE cap SET active = false;
