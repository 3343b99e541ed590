const boards = [board("lstm", LSTM_BOARD), board("rnn", RNN_BOARD)];
begin((settings) => boards.forEach(({ build }) => build(settings)),
  (input) => boards.forEach(({ changed }) => changed(input)));
