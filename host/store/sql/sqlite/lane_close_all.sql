UPDATE lane SET open = 0;
