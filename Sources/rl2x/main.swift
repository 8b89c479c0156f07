import Commands

RL2XCommand.main()
