const boards = [board("lstm", LSTM_BOARD), board("rnn", RNN_BOARD)];

begin((settings) => {
  boards.forEach(({ build }) => build(settings));
  boards.forEach(({ changed }) => changed(inputs.tab));
}, (input) => boards.forEach(({ changed }) => changed(input)));
