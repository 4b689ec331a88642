import { live } from "./boot-lives-bench";

live(3);
