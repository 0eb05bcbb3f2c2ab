UPDATE lane SET open = false;
