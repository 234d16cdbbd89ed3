Console.WriteLine("appc");
